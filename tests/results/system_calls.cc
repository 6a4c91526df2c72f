#include "system_calls.h"

#include <dlfcn.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pleat {

SystemCalls& system_calls() {
  static SystemCalls calls;
  return calls;
}

}  // namespace pleat

extern "C" {

int flock(int fd, int operation) noexcept {
  if (const int error = pleat::system_calls().flock_error; error != 0) {
    errno = error;
    return -1;
  }
  return reinterpret_cast<int (*)(int, int)>(::dlsym(RTLD_NEXT, "flock"))(fd, operation);
}

int statvfs(const char* path, struct statvfs* out) noexcept {
  const int result = reinterpret_cast<int (*)(const char*, struct statvfs*)>(::dlsym(RTLD_NEXT, "statvfs"))(path, out);
  if (const std::int64_t bytes = pleat::system_calls().free_bytes; result == 0 && bytes >= 0) {
    out->f_bavail = static_cast<fsblkcnt_t>(bytes) / out->f_frsize;
  }
  return result;
}

int gethostname(char* name, size_t size) noexcept {
  if (const char* const told = pleat::system_calls().host_name; told != nullptr) {
    std::strncpy(name, told, size);
    return 0;
  }
  return reinterpret_cast<int (*)(char*, size_t)>(::dlsym(RTLD_NEXT, "gethostname"))(name, size);
}
}

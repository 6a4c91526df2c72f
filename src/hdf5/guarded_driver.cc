// HDF5's virtual file driver over a GuardedFile.
#include <H5FDpublic.h>
#if __has_include(<H5FDdevelop.h>)
#include <H5FDdevelop.h>  // where HDF5 1.14 keeps the interface of drivers
#endif

#include <new>

#include "hdf5/guarded_file.h"

namespace pleat::hdf5 {
namespace {

// What travels in the access properties.
struct DriverInfo {
  GuardedFile* file = nullptr;
};

// HDF5 sees only `base`, which must come first.
struct OpenFile {
  H5FD_t base{};
  GuardedFile* file = nullptr;
  haddr_t end = 0;  // of what HDF5 has allocated
};

GuardedFile& file_of(const H5FD_t* base) { return *reinterpret_cast<const OpenFile*>(base)->file; }

H5FD_t* open_file(const char* /*name*/, unsigned /*flags*/, hid_t access, haddr_t /*max_address*/) {
  const auto* const info = static_cast<const DriverInfo*>(H5Pget_driver_info(access));
  auto* const open = new (std::nothrow) OpenFile;
  if (info == nullptr || open == nullptr) {
    delete open;
    return nullptr;
  }
  open->file = info->file;
  return &open->base;
}

herr_t close_file(H5FD_t* base) {
  delete reinterpret_cast<OpenFile*>(base);
  return 0;
}

int compare(const H5FD_t* left, const H5FD_t* right) {
  const GuardedFile* const a = &file_of(left);
  const GuardedFile* const b = &file_of(right);
  return a < b ? -1 : (a > b ? 1 : 0);
}

herr_t query(const H5FD_t* /*base*/, unsigned long* flags) {
  if (flags != nullptr) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  }
  return 0;
}

haddr_t allocated_end(const H5FD_t* base, H5FD_mem_t /*type*/) { return reinterpret_cast<const OpenFile*>(base)->end; }

herr_t set_allocated_end(H5FD_t* base, H5FD_mem_t /*type*/, haddr_t end) {
  reinterpret_cast<OpenFile*>(base)->end = end;
  return 0;
}

haddr_t file_end(const H5FD_t* base, H5FD_mem_t /*type*/) { return file_of(base).size(); }

herr_t read(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, std::size_t size, void* out) {
  try {
    file_of(base).read(address, {static_cast<std::byte*>(out), size});
    return 0;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

herr_t write(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, std::size_t size,
             const void* data) {
  try {
    file_of(base).write(address, {static_cast<const std::byte*>(data), size});
    return 0;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

herr_t truncate(H5FD_t* base, hid_t /*transfer*/, hbool_t /*closing*/) {
  const auto* const open = reinterpret_cast<const OpenFile*>(base);
  if (open->file->size() != open->end) open->file->truncate(open->end);
  return 0;
}

const H5FD_class_t& driver_class() {
  static const H5FD_class_t driver = [] {
    H5FD_class_t c{};
#ifdef H5FD_CLASS_VERSION
    c.version = H5FD_CLASS_VERSION;
    c.value = static_cast<H5FD_class_value_t>(513);  // one of the numbers left to applications
#endif
    c.name = "pleat";
    c.maxaddr = (haddr_t{1} << 63) - 1;
    c.fc_degree = H5F_CLOSE_STRONG;
    c.fapl_size = sizeof(DriverInfo);
    c.open = open_file;
    c.close = close_file;
    c.cmp = compare;
    c.query = query;
    c.get_eoa = allocated_end;
    c.set_eoa = set_allocated_end;
    c.get_eof = file_end;
    c.read = read;
    c.write = write;
    c.truncate = truncate;
    constexpr H5FD_mem_t free_lists[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
    for (int i = 0; i < H5FD_MEM_NTYPES; ++i) c.fl_map[i] = free_lists[i];
    return c;
  }();
  return driver;
}

}  // namespace

File create_in(GuardedFile& file) {
  static const hid_t driver = require(H5FDregister(&driver_class()), "register the file driver", ErrorCode::internal);
  const Properties access(require(H5Pcreate(H5P_FILE_ACCESS), "prepare the result file"));
  const DriverInfo info{&file};
  require(H5Pset_driver(access.get(), driver, &info), "prepare the result file");
  require(H5Pset_libver_bounds(access.get(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V110), "prepare the result file");
  require(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "prepare the result file");
  // Without time stamps equal contents give equal bytes.
  const Properties creation(require(H5Pcreate(H5P_FILE_CREATE), "prepare the result file"));
  require(H5Pset_obj_track_times(creation.get(), 0), "prepare the result file");
  return File(require(H5Fcreate("pleat", H5F_ACC_TRUNC, creation.get(), access.get()), "create the result file"));
}

}  // namespace pleat::hdf5

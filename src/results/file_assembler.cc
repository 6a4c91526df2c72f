#include "results/file_assembler.h"

#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "hdf5/hdf5_types.h"
#include "results/record_tables.h"

namespace pleat {

std::unique_ptr<Assembly> FileAssembler::make_assembly() const {
  return std::make_unique<Assembly>(partial_.path(), source_.segments, source_.index, source_.parts,
                                    source_.dataset.sequences);
}

void FileAssembler::begin_early(std::vector<bool> to_come) {
  to_come_ = std::move(to_come);
  early_ = std::make_unique<EarlyAssembly>([this] { return make_assembly(); }, [this] { partial_.empty(); });
  advance();
}

void FileAssembler::advance() {
  if (early_ == nullptr) return;
  const std::int64_t end = source_.dataset.sequences.size();
  while (settled_ < end && (source_.outcomes.is_known(settled_) || !may_come(settled_))) ++settled_;
  early_->reach(settled_);
}

void FileAssembler::give_up_early() {
  if (const std::unique_ptr<Assembly> assembly = early_->end()) assembly->abandon();
  early_.reset();
  partial_.empty();
}

void FileAssembler::add_unflushed(std::vector<Unflushed>& files) const {
  if (early_ != nullptr) files.push_back(partial_.unflushed());
}

std::int64_t FileAssembler::bytes() const {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(partial_.path(), error);
  return error ? 0 : static_cast<std::int64_t>(bytes);
}

void FileAssembler::write_tables(const Assembly& assembly, const FileAttributes& attributes) const {
  write_attributes(assembly.file(), attributes);
  pleat::write_tables(assembly.file(), assembly.guard(), {source_.dataset, source_.layout, source_.outcomes});
  hdf5::require(H5Fflush(assembly.file().get(), H5F_SCOPE_GLOBAL), "flush the result file");
}

void FileAssembler::write(const FileAttributes& attributes) {
  std::unique_ptr<Assembly> assembly = early_ != nullptr ? early_->end() : nullptr;
  early_.reset();
  try {
    if (assembly == nullptr) assembly = make_assembly();
    assembly->finish([&] {
      throw_if_stopped(stop_);
      return true;
    });
    write_tables(*assembly, attributes);
    assembly->close();
    fsync_path(partial_.path());
  } catch (const Error&) {
    if (assembly != nullptr) assembly->abandon();
    partial_.remove();
    if (assembly != nullptr) assembly->guard().throw_if_failed();  // the reason behind HDF5's complaint
    throw;
  }
}

}  // namespace pleat

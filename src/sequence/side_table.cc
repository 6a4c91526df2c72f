#include "sequence/side_table.h"

#include <string>

#include "core/error.h"
#include "sequence/byte_source.h"
#include "sequence/formats.h"
#include "sequence/text.h"

namespace pleat {

InputReport read_side_table(const std::filesystem::path& file, std::string_view kind, const StopToken* stop,
                            const std::function<void(LineReader& lines, std::int64_t& rows)>& read) {
  InputReport report;
  report.path = file.string();
  report.format = std::string(kind) + "s";
  LineReader lines(file, stop);
  try {
    refuse_binary(lines.start(), InputFile(file), report.format);
    read(lines, report.records);
  } catch (const BrokenInput& error) {
    if (!error.sound_before() || report.records == 0) throw Error(ErrorCode::missing_input, error.what(), error.hint());
    report.problem = input_problem::cut_off;
    report.message = error.what() + (error.hint().empty() ? "" : " (" + error.hint() + ")");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::bad_input) throw;
    throw Error(ErrorCode::missing_input, error.what(), error.hint());
  }
  const ByteSource::Facts facts = lines.facts();
  report.bytes = facts.bytes;
  report.sha256 = facts.sha256;
  if (!lines.compression().empty()) report.format.append(", ").append(lines.compression());
  if (report.problem.empty() && report.records == 0) {
    report.problem = input_problem::empty;
    report.message = quoted(file) + " holds no " + std::string(kind);
  }
  return report;
}

}  // namespace pleat

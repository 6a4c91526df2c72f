// index.tsv: which file holds the structure of which record, and why some have none.
#pragma once

#include <cstdint>
#include <string>

#include "sequence/dataset.h"

namespace pleat {

struct IndexLine {
  std::string file;  // empty: none
  const Record* record = nullptr;
  std::int64_t record_number = 0;  // row of /records
  std::int64_t length = 0;         // residues
  float mean_plddt = 0;            // NaN where never computed; likewise ptm
  float ptm = 0;
  float iptm = 0;  // NaN with one chain, too
  RecordStatus status = RecordStatus::ok;
  std::string reason;  // why there is no file
};

class StructureIndex {
 public:
  static constexpr const char* file_name = "index.tsv";

  void add(const IndexLine& line);
  // The whole file: a line of column names, then one line per add(). In texts, tab, line feed, carriage return and
  // backslash are \t, \n, \r and \\.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_ = "file\tid\trecord\tsequence\tlength\tmean_plddt\tptm\tiptm\tstatus\treason\n";
};

}  // namespace pleat

// The small parts of the result file: its attributes, and every dataset that is not computed.
#pragma once

#include <string>
#include <vector>

#include "format/file_attributes.h"
#include "format/outcomes.h"
#include "format/schema_table.h"
#include "format/sequence_result.h"
#include "hdf5/guarded_file.h"
#include "hdf5/hdf5_handle.h"
#include "sequence/dataset.h"

namespace pleat {

// The attributes of "/" that every file has.
void write_attributes(const hdf5::File& file, const FileAttributes& attributes);

// One text as an attribute of an object, or all of them, as the table says.
void write_texts(const hdf5::File& file, const std::string& object, const schema::AttributeEntry& attribute,
                 const std::vector<std::string>& texts);

struct TableSources {
  const Dataset& dataset;
  const ResultLayout& layout;
  const SequenceOutcomes& outcomes;
};

// The datasets of the table of the result file that are not computed, and the attributes of all. What of /inputs is not
// UTF-8 is made so. Throws Error(io), Error(retry).
void write_tables(const hdf5::File& file, const GuardedFile& guard, const TableSources& sources);

}  // namespace pleat

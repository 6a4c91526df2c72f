#include "results/record_tables.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/error.h"
#include "format/record_parts.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "hdf5/columns.h"
#include "hdf5/hdf5_types.h"
#include "sequence/text.h"

namespace pleat {
namespace {

using schema::DatasetEntry;
using schema::Present;

// What the file says about one record.
void set_outcome(schema::StoredRecord& row, const SequenceOutcomes& outcomes) {
  Record& record = row.record;
  if (record.sequence < 0) return;
  row.seconds = outcomes.seconds(record.sequence);
  row.attempts = outcomes.attempts(record.sequence);
  row.rung = outcomes.rung(record.sequence);
  row.device = outcomes.device(record.sequence);
  if (record.status != RecordStatus::ok) return;
  if (const auto* const failure = outcomes.failure(record.sequence); failure != nullptr) {
    record.status = RecordStatus::failed;
    record.error_code = failure->error_code;
    record.message = failure->message;
  } else if (const auto* const note = outcomes.note_on(record.sequence); note != nullptr) {
    if (record.error_code.empty()) record.error_code = note->error_code;
    if (!record.message.empty() && !note->message.empty()) record.message += "; ";
    record.message += note->message;
  }
}

class TableWriter {
 public:
  TableWriter(const hdf5::File& file, const GuardedFile& guard, const TableSources& sources)
      : file_(file),
        guard_(guard),
        sources_(sources),
        shard_(sources.dataset.shard ? &*sources.dataset.shard : nullptr) {}

  void operator()() const {
    if (shard_ != nullptr) {
      write_shard_numbers();
      write_datasets([](Present present) { return present == Present::in_shard; });
    }
    write_datasets([&](Present present) { return is_in_every_file(present); });
    write_attributes_of_results();
    write_datasets([&](Present present) { return schema::is_asked_for(present, sources_.layout); });
  }

 private:
  [[nodiscard]] bool is_in_every_file(Present present) const {
    return present == Present::always || (present == Present::since_inputs && !sources_.dataset.inputs.empty()) ||
           (present == Present::with_pairs && sources_.dataset.parts);
  }

  template <class Wanted>
  void write_datasets(const Wanted& is_wanted) const {
    for (const DatasetEntry& entry : schema::dataset_table()) {
      if (entry.is_computed() || !is_wanted(entry.present)) continue;
      std::visit([&](const auto& content) { write(entry, content); }, entry.content);
      write_attributes_of(entry.path);
    }
  }

  void write_shard_numbers() const {
    for (const schema::AttributeEntry& entry : schema::attribute_table()) {
      const auto* const number = std::get_if<schema::ShardNumber>(&entry.content);
      if (number == nullptr) continue;
      const std::int64_t value = shard_->*(*number);
      write_number(file_, entry.name, hdf5::type_of(Element::int64), &value);
    }
  }

  // Of what is computed, and lies in the file already.
  void write_attributes_of_results() const {
    for (const schema::AttributeEntry& entry : schema::attribute_table()) {
      const DatasetEntry* const dataset = schema::find_dataset(entry.object);
      const bool is_of_results = dataset != nullptr && dataset->is_computed();
      if (is_of_results && schema::is_asked_for(entry.present, sources_.layout)) write_attribute(entry);
    }
  }

  void write_attributes_of(std::string_view path) const {
    for (const schema::AttributeEntry& entry : schema::attribute_table()) {
      if (entry.object == path) write_attribute(entry);
    }
  }

  void write_attribute(const schema::AttributeEntry& entry) const {
    const auto* const texts = std::get_if<schema::LayoutTexts>(&entry.content);
    if (texts != nullptr) write_texts(file_, std::string(entry.object), entry, (*texts)(sources_.layout));
  }

  void write_bytes(const DatasetEntry& entry, std::int64_t rows, std::span<const std::byte> bytes) const {
    write_chunked(file_, guard_, {std::string(entry.path), rows, entry.sizes()}, hdf5::type_of(entry.element),
                  bytes_from(bytes));
  }

  // A column whose value in each row `field` points to, once `read` has been called with the row.
  template <class Pointer, class Read>
  void write_column_of(const DatasetEntry& entry, std::size_t rows, const Pointer& field, const Read& read) const {
    using T = std::remove_pointer_t<Pointer>;
    const auto value = [&](std::size_t i) {
      read(i);
      return *field;
    };
    if constexpr (std::is_same_v<T, std::string>) {
      write_text_column(file_, guard_, std::string(entry.path), rows, value);
    } else {
      write_column<T>(file_, guard_, std::string(entry.path), hdf5::type_of(entry.element), rows, value);
    }
  }

  template <class Pointers>
  void write_records(const DatasetEntry& entry, schema::StoredRecord& row, const Pointers& pointers) const {
    const std::vector<Record>& records = sources_.dataset.records;
    const auto read = [&](std::size_t i) {
      row.record = records[i];
      row.seconds = schema::StoredRecord().seconds;
      row.attempts = 0;
      row.rung = MemoryRung::planned;
      row.device.clear();
      set_outcome(row, sources_.outcomes);
    };
    std::visit([&](auto* field) { write_column_of(entry, records.size(), field, read); }, pointers);
  }

  void write(const DatasetEntry& entry, schema::RecordField field) const {
    schema::StoredRecord row;
    write_records(entry, row, field(row.record));
  }
  void write(const DatasetEntry& entry, schema::OutcomeField field) const {
    schema::StoredRecord row;
    write_records(entry, row, field(row));
  }

  void write(const DatasetEntry& entry, const schema::PartName& part) const {
    if (!sources_.dataset.parts) return;
    const std::vector<std::array<std::string, 2>>& parts = *sources_.dataset.parts;
    std::string name;
    write_column_of(entry, parts.size(), &name, [&](std::size_t i) { name = parts[i][part.number]; });
  }

  void write(const DatasetEntry& entry, schema::InputText text) const {
    const std::vector<InputReport>& inputs = sources_.dataset.inputs;
    std::string clean;
    write_column_of(entry, inputs.size(), &clean, [&](std::size_t i) {
      clean = inputs[i].*text;
      make_clean_utf8(clean);
    });
  }
  void write(const DatasetEntry& entry, schema::InputNumber number) const {
    const std::vector<InputReport>& inputs = sources_.dataset.inputs;
    std::int64_t value = 0;
    write_column_of(entry, inputs.size(), &value, [&](std::size_t i) { value = inputs[i].*number; });
  }

  void write(const DatasetEntry& entry, schema::VariantText text) const {
    const auto& table = sources_.dataset.variants;
    if (!table) throw Error(ErrorCode::internal, "scores of variants need their table");
    const std::vector<VariantRow>& rows = table->rows;
    write_text_column(file_, guard_, std::string(entry.path), rows.size(),
                      [&](std::size_t i) { return rows[i].*text; });
  }

  void write(const DatasetEntry& entry, schema::Places places) const {
    const std::vector<std::int64_t>& rows = shard_->*places;
    write_bytes(entry, std::ssize(rows), std::as_bytes(std::span(rows)));
  }

  void write(const DatasetEntry& entry, schema::OfSequences bytes_of) const {
    std::vector<std::byte> scratch;
    const std::span<const std::byte> bytes = bytes_of(sources_.dataset.sequences, scratch);
    std::int64_t row_bytes = static_cast<std::int64_t>(H5Tget_size(hdf5::type_of(entry.element).get()));
    for (const std::int64_t size : entry.sizes()) row_bytes *= size;
    write_bytes(entry, std::ssize(bytes) / row_bytes, bytes);
  }

  void write(const DatasetEntry& entry, const schema::Offsets& offsets) const {
    const SequenceTable& sequences = sources_.dataset.sequences;
    const std::vector<std::int64_t> begins =
        begins_of(offsets.of, sequences.size(), [&](std::int64_t row) { return size_of(sequences, row); });
    write_bytes(entry, std::ssize(begins), std::as_bytes(std::span(begins)));
  }

  // What is computed is written by Assembly.
  void write(const DatasetEntry& /*entry*/, schema::ResultField /*field*/) const {}
  void write(const DatasetEntry& /*entry*/, const schema::Extra& /*extra*/) const {}

  const hdf5::File& file_;
  const GuardedFile& guard_;
  const TableSources& sources_;
  const ShardPart* shard_;  // null in a file of all records
};

}  // namespace

void write_attributes(const hdf5::File& file, const FileAttributes& attributes) {
  const std::string root = "/";
  write_text(file, root, schema::attr_format, schema::format_name);
  const std::int32_t version = schema::version;
  write_number(file, schema::attr_schema_version, hdf5::type_of(Element::int32), &version);
  const std::uint8_t complete = 1;
  write_number(file, schema::attr_complete, hdf5::type_of(Element::uint8), &complete);
  for (const schema::AttributeEntry& entry : schema::attribute_table()) {
    const auto* const text = std::get_if<schema::RunText>(&entry.content);
    if (text != nullptr) write_text(file, root, entry.name, attributes.*(*text));
  }
  if (attributes.untrained) write_text(file, root, schema::attr_untrained, schema::untrained_sentence);
}

void write_texts(const hdf5::File& file, const std::string& object, const schema::AttributeEntry& attribute,
                 const std::vector<std::string>& texts) {
  if (attribute.shape.empty()) {
    write_text(file, object, attribute.name, texts.front());
  } else {
    write_text_list(file, object, attribute.name, texts);
  }
}

void write_tables(const hdf5::File& file, const GuardedFile& guard, const TableSources& sources) {
  TableWriter(file, guard, sources)();
}

}  // namespace pleat

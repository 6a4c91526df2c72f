#include "weights/tensor_pickle.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "weights/byte_reader.h"
#include "weights/pickle_opcode.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

// A published checkpoint of 4,536 tensors needs 1 MB and 100,000 values.
constexpr std::size_t max_pickle_bytes = 64'000'000;
constexpr std::size_t max_values = 1'000'000;  // made, on the stack, or remembered
constexpr std::size_t max_marks = 100;
constexpr std::size_t max_dimensions = 16;

enum class Kind : std::uint8_t {
  none,
  boolean,
  number,
  text,
  tuple,
  dictionary,       // items: name, value, name, value ...
  make_dictionary,  // collections.OrderedDict
  make_tensor,      // torch._utils._rebuild_tensor_v2
  storage_type,     // torch.FloatStorage ...; number: the DType
  storage,          // items: its type, key, number of elements
  tensor,           // items: its storage, offset, shape, stride
};

const char* text_of(Kind kind) {
  switch (kind) {
    case Kind::none: return "None";
    case Kind::boolean: return "a truth value";
    case Kind::number: return "a number";
    case Kind::text: return "a string";
    case Kind::tuple: return "a tuple";
    case Kind::dictionary: return "a dictionary";
    case Kind::make_dictionary:
    case Kind::make_tensor: return "a function";
    case Kind::storage_type: return "a class";
    case Kind::storage: return "a storage";
    case Kind::tensor: return "a tensor";
  }
  return "?";
}

// Values live side by side in one list and name each other by their place in it, so that a pickle that nests or loops
// costs neither recursion nor more memory than its own length.
using Place = std::uint32_t;

struct Value {
  Kind kind = Kind::none;
  std::int64_t number = 0;
  std::string_view text = {};
  std::vector<Place> items = {};
};

std::optional<DType> storage_dtype(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, DType>, 5> known{{{"FloatStorage", DType::float32},
                                                                     {"HalfStorage", DType::float16},
                                                                     {"BFloat16Storage", DType::bfloat16},
                                                                     {"LongStorage", DType::int64},
                                                                     {"ByteStorage", DType::uint8}}};
  const auto* const found = std::ranges::find(known, name, &std::pair<std::string_view, DType>::first);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

class Machine {
 public:
  Machine(std::span<const std::byte> pickle, const Refusal& refuse) : reader_(pickle), refuse_(refuse) {}

  std::vector<PickledTensor> run() {
    try {
      if (next() != opcode::proto) refuse_("data.pkl is no pickle of protocol 2 or later");
      check_protocol(reader_.number(1));
      for (std::uint8_t code = next(); code != opcode::stop; code = next()) step(code);
    } catch (const ByteReader::Ended&) {
      refuse_("data.pkl ends in the middle");
    }
    if (reader_.left() != 0) refuse_("data.pkl goes on after its end");
    if (stack_.size() != 1 || !marks_.empty()) refuse_("data.pkl is damaged: it leaves more than one value");
    return tensors_of(stack_.front());
  }

 private:
  [[nodiscard]] std::uint8_t next() { return static_cast<std::uint8_t>(reader_.number(1)); }

  void check_protocol(std::uint64_t protocol) const {
    if (protocol < 2 || protocol > 5) refuse_("data.pkl is of pickle's protocol " + std::to_string(protocol));
  }

  void step(std::uint8_t code) {
    switch (code) {
      case opcode::frame: return check_frame(reader_.number(8));
      case opcode::mark: return set_mark();
      case opcode::none: return push({.kind = Kind::none});
      case opcode::new_true:
      case opcode::new_false: return push({.kind = Kind::boolean});
      case opcode::bin_int1: return push_number(static_cast<std::int64_t>(reader_.number(1)));
      case opcode::bin_int2: return push_number(static_cast<std::int64_t>(reader_.number(2)));
      case opcode::bin_int: return push_number(signed_number(4));
      case opcode::long1: return push_number(signed_number(reader_.number(1)));
      case opcode::short_bin_unicode: return push_text(reader_.number(1));
      case opcode::bin_unicode: return push_text(reader_.number(4));
      case opcode::bin_unicode8: return push_text(reader_.number(8));
      case opcode::empty_tuple: return push_tuple(0);
      case opcode::tuple1: return push_tuple(1);
      case opcode::tuple2: return push_tuple(2);
      case opcode::tuple3: return push_tuple(3);
      case opcode::tuple: return push_tuple(pop_mark());
      case opcode::empty_dict: return push({.kind = Kind::dictionary});
      case opcode::set_item: return set_items(2);
      case opcode::set_items: return set_items(pop_mark());
      case opcode::bin_put: return put(reader_.number(1));
      case opcode::long_bin_put: return put(reader_.number(4));
      case opcode::memoize: return put(memo_.size());
      case opcode::bin_get: return get(reader_.number(1));
      case opcode::long_bin_get: return get(reader_.number(4));
      case opcode::global: return push_global();
      case opcode::stack_global: return push_stack_global();
      case opcode::bin_persid: return push_storage();
      case opcode::reduce: return call();
      case opcode::build: return set_attributes();
      default:
        refuse_("data.pkl holds the pickle instruction " + name_of_opcode(code) +
                ", which no dictionary of tensors needs");
    }
  }

  // Values.

  void push(Value value) {
    check_room(values_.size(), max_values);
    values_.push_back(std::move(value));
    push_place(static_cast<Place>(values_.size() - 1));
  }
  void push_place(Place place) {
    check_room(stack_.size(), max_values);
    stack_.push_back(place);
  }
  void check_room(std::size_t held, std::size_t most) const {
    if (held == most) refuse_("data.pkl holds more values than any model needs");
  }
  void push_number(std::int64_t number) { push({.kind = Kind::number, .number = number}); }
  void push_text(std::uint64_t bytes) { push({.kind = Kind::text, .text = reader_.text(bytes)}); }

  // In two's complement; no bytes at all make 0.
  [[nodiscard]] std::int64_t signed_number(std::uint64_t bytes) {
    if (bytes > 8) refuse_("data.pkl holds a number of more than 64 bits");
    const std::uint64_t value = reader_.number(bytes);
    const bool negative = bytes > 0 && bytes < 8 && (value >> (8 * bytes - 1)) != 0;
    return static_cast<std::int64_t>(negative ? value | ~std::uint64_t{0} << (8 * bytes) : value);
  }

  void check_frame(std::uint64_t bytes) const {
    if (bytes > reader_.left()) refuse_("data.pkl ends in the middle");
  }

  // The stack. What lies below the last mark is out of reach.

  [[nodiscard]] std::size_t reachable() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }
  [[nodiscard]] Place pop() {
    if (reachable() == 0) refuse_damaged();
    const Place place = stack_.back();
    stack_.pop_back();
    return place;
  }
  [[nodiscard]] std::vector<Place> pop(std::size_t count) {
    if (reachable() < count) refuse_damaged();
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<Place> places(first, stack_.end());
    stack_.erase(first, stack_.end());
    return places;
  }
  [[nodiscard]] Place top() const {
    if (reachable() == 0) refuse_damaged();
    return stack_.back();
  }
  void set_mark() {
    check_room(marks_.size(), max_marks);
    marks_.push_back(stack_.size());
  }
  // Removes the last mark and returns how many values lie above it.
  [[nodiscard]] std::size_t pop_mark() {
    if (marks_.empty()) refuse_damaged();
    const std::size_t count = reachable();
    marks_.pop_back();
    return count;
  }
  [[noreturn]] void refuse_damaged() const { refuse_("data.pkl is damaged: an instruction lacks its values"); }

  void push_tuple(std::size_t count) {
    std::vector<Place> items = pop(count);
    push({.kind = Kind::tuple, .items = std::move(items)});
  }

  void put(std::uint64_t name) {
    check_room(memo_.size(), max_values);
    memo_[name] = top();
  }
  void get(std::uint64_t name) {
    const auto found = memo_.find(name);
    if (found == memo_.end()) refuse_damaged();
    push_place(found->second);
  }

  void set_items(std::size_t count) {
    const std::vector<Place> items = pop(count);
    Value& target = values_[top()];
    if (target.kind != Kind::dictionary || count % 2 != 0) refuse_damaged();
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (values_[items[i]].kind != Kind::text) {
        refuse_(std::string("data.pkl has ") + text_of(values_[items[i]].kind) + " where a tensor's name should be");
      }
    }
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  // Functions and classes.

  [[nodiscard]] std::string_view line() {
    const std::size_t longest = std::min(reader_.left(), max_name_bytes);
    ByteReader ahead = reader_;
    const std::size_t length = ahead.text(longest).find('\n');
    if (length == std::string_view::npos) refuse_damaged();
    const std::string_view text = reader_.text(length);
    reader_.skip(1);
    return text;
  }

  void push_global() {
    const std::string_view module = line();
    push_global(module, line());
  }
  void push_stack_global() {
    const std::vector<Place> names = pop(2);
    if (values_[names[0]].kind != Kind::text || values_[names[1]].kind != Kind::text) refuse_damaged();
    push_global(values_[names[0]].text, values_[names[1]].text);
  }
  void push_global(std::string_view module, std::string_view name) {
    if (module == "collections" && name == "OrderedDict") return push({.kind = Kind::make_dictionary});
    if (module == "torch._utils" && name == "_rebuild_tensor_v2") return push({.kind = Kind::make_tensor});
    if (const auto dtype = storage_dtype(name); module == "torch" && dtype) {
      return push({.kind = Kind::storage_type, .number = static_cast<std::int64_t>(*dtype)});
    }
    const std::string full = in_quotes(std::string(module) + "." + std::string(name));
    if (module == "torch" && name.ends_with("Storage")) refuse_("it holds numbers of a type that is not read, " + full);
    refuse_("its pickle refers to " + full +
            ", which no dictionary of tensors needs; reading it the usual way might run code");
  }

  // The storage of a persistent id: ('storage', type, key, location, number of elements).
  void push_storage() {
    const std::vector<Place>& id = values_[pop_of_kind(Kind::tuple, "a storage's description")].items;
    const bool sound = id.size() == 5 && is(id[0], Kind::text) && values_[id[0]].text == "storage" &&
                       is(id[1], Kind::storage_type) && is(id[2], Kind::text) && is(id[3], Kind::text) &&
                       is(id[4], Kind::number);
    if (!sound) refuse_("data.pkl describes a storage in a way that torch.save does not");
    const std::string_view key = values_[id[2]].text;
    const bool digits =
        !key.empty() && key.size() <= 20 && key.find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits) refuse_("data.pkl names a storage " + in_quotes(key) + ", which is no number");
    if (values_[id[4]].number < 0) refuse_("storage " + std::string(key) + " has a negative number of elements");
    push({.kind = Kind::storage, .items = {id[1], id[2], id[4]}});
  }

  void call() {
    const std::vector<Place>& arguments = values_[pop_of_kind(Kind::tuple, "the arguments of a call")].items;
    const Place function = pop();
    if (is(function, Kind::make_dictionary)) {
      if (!arguments.empty()) refuse_("data.pkl makes an OrderedDict in a way that torch.save does not");
      return push({.kind = Kind::dictionary});
    }
    if (!is(function, Kind::make_tensor)) {
      refuse_(std::string("data.pkl calls ") + text_of(values_[function].kind) + ", which it may not");
    }
    // storage, offset, shape, stride, whether gradients are wanted, hooks, and in newer files None
    const bool sound = (arguments.size() == 6 || (arguments.size() == 7 && is(arguments[6], Kind::none))) &&
                       is(arguments[0], Kind::storage) && is(arguments[1], Kind::number) &&
                       is_short_tuple(arguments[2]) && is_short_tuple(arguments[3]) &&
                       is(arguments[4], Kind::boolean) && is(arguments[5], Kind::dictionary);
    if (!sound) refuse_("data.pkl describes a tensor in a way that torch.save does not");
    push({.kind = Kind::tensor, .items = {arguments[0], arguments[1], arguments[2], arguments[3]}});
  }

  // The attributes of a dictionary, such as the _metadata of a state dictionary, mean nothing here.
  void set_attributes() {
    static_cast<void>(pop());
    if (!is(top(), Kind::dictionary)) {
      refuse_(std::string("data.pkl sets the attributes of ") + text_of(values_[top()].kind) + ", which it may not");
    }
  }

  [[nodiscard]] bool is(Place place, Kind kind) const { return values_[place].kind == kind; }
  [[nodiscard]] bool is_short_tuple(Place place) const {
    return is(place, Kind::tuple) && values_[place].items.size() <= max_dimensions;
  }
  [[nodiscard]] Place pop_of_kind(Kind kind, const char* what) {
    const Place place = pop();
    if (!is(place, kind)) {
      refuse_(std::string("data.pkl has ") + text_of(values_[place].kind) + " where " + what + " should be");
    }
    return place;
  }

  // The result.

  [[nodiscard]] std::vector<std::int64_t> counts(Place place, std::string_view name) const {
    std::vector<std::int64_t> numbers;
    for (const Place item : values_[place].items) numbers.push_back(count(item, name));
    return numbers;
  }
  [[nodiscard]] std::int64_t count(Place place, std::string_view name) const {
    const Value& value = values_[place];
    if (value.kind != Kind::number || value.number < 0) {
      refuse_("tensor " + in_quotes(name) + " has a shape, an offset or a stride that is no whole number from 0 on");
    }
    return value.number;
  }

  [[nodiscard]] PickledTensor tensor_of(std::string_view name, const Value& value) const {
    if (value.kind != Kind::tensor) {
      refuse_(in_quotes(name) + " is " + text_of(value.kind) +
              ", not a tensor; a file of weights is one dictionary of tensors, not a state of training");
    }
    const std::vector<Place>& storage = values_[value.items[0]].items;
    return {.name = name,
            .storage = values_[storage[1]].text,
            .dtype = static_cast<DType>(values_[storage[0]].number),
            .storage_numel = values_[storage[2]].number,
            .offset = count(value.items[1], name),
            .shape = counts(value.items[2], name),
            .stride = counts(value.items[3], name)};
  }

  [[nodiscard]] std::vector<PickledTensor> tensors_of(Place top) const {
    const Value& dictionary = values_[top];
    if (dictionary.kind != Kind::dictionary) {
      refuse_(std::string("it holds ") + text_of(dictionary.kind) + ", not a dictionary of tensors");
    }
    std::vector<PickledTensor> tensors;
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < dictionary.items.size(); i += 2) {
      const std::string_view name = values_[dictionary.items[i]].text;
      if (name.size() > max_name_bytes) refuse_("tensor " + in_quotes(name) + " has a name of over 1000 bytes");
      if (!names.insert(name).second) refuse_("tensor " + in_quotes(name) + " is given twice");
      tensors.push_back(tensor_of(name, values_[dictionary.items[i + 1]]));
    }
    return tensors;
  }

  ByteReader reader_;
  const Refusal& refuse_;
  std::vector<Value> values_;
  std::vector<Place> stack_;
  std::vector<std::size_t> marks_;  // the height of the stack at each
  std::unordered_map<std::uint64_t, Place> memo_;
};

}  // namespace

std::vector<PickledTensor> read_tensor_pickle(std::span<const std::byte> pickle, const Refusal& refuse) {
  if (pickle.size() > max_pickle_bytes) refuse("data.pkl is larger than any dictionary of tensors needs");
  return Machine(pickle, refuse).run();
}

}  // namespace pleat

// Pickles that no torch.save writes: each is refused with a reason, none is obeyed.
#include <random>

#include "model_files.h"
#include "torch_files.h"
#include "weights/tensor_pickle.h"
#include "weights/torch_zip.h"

namespace pleat {
namespace {

using namespace pickled;  // NOLINT(google-build-using-namespace): the whole file speaks this language

std::map<std::string, TensorView> parse(const std::string& pickle, const std::string& storage = "abcdefgh") {
  const std::string bytes = torch_file(pickle, {{"0", storage}}).bytes;
  return parse_torch_zip(std::as_bytes(std::span(bytes)), "pytorch_model.bin");
}

const std::string sound_storage = storage("0", 2);
std::string one(const std::string& value) { return dictionary(text("a") + value); }
std::string view(std::int64_t offset, const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& stride) {
  return one(tensor(sound_storage, offset, shape, stride));
}
std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

struct Hostile {
  const char* name;
  std::string pickle;
  const char* text;
};

void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

class HostilePickle : public testing::TestWithParam<Hostile> {};

TEST_P(HostilePickle, IsRefused) {
  const std::string message =
      expect_error(ErrorCode::bad_input, GetParam().text, [] { return parse(GetParam().pickle); });
  EXPECT_THAT(message, testing::StartsWith("'pytorch_model.bin': "));
  EXPECT_LT(message.size(), 1000U);
}

std::string name_of_case(const testing::TestParamInfo<Hostile>& test) { return test.param.name; }

const std::string system_call = call(global("os", "system"), text("touch /tmp/owned"));

INSTANTIATE_TEST_SUITE_P(
    Code, HostilePickle,
    testing::ValuesIn(std::vector<Hostile>{
        {"system", start + system_call + stop, "refers to 'os.system'"},
        {"system_as_value", one(system_call), "refers to 'os.system'"},
        {"posix_system", one(global("posix", "system")), "refers to 'posix.system'"},
        {"eval", one(call(global("builtins", "eval"), text("1"))), "refers to 'builtins.eval'"},
        {"getattr", one(global("builtins", "getattr")), "refers to 'builtins.getattr'"},
        {"stack_global", one(text("builtins") + text("exec") + "\x93"), "refers to 'builtins.exec'"},
        {"stack_global_of_numbers", one(number(1) + number(2) + "\x93"), "damaged"},
        {"control_characters_in_a_name", one(global("os\x1b[2J", "system")), "refers to 'os?[2J.system'"},
        {"endless_name", one("c" + std::string(5000, 'x') + "\ny\n"), "damaged"},
        {"name_without_end", start + "cos", "damaged"},
        {"inst", start + "(ios\nsystem\n.", "instruction INST"},
        {"obj", start + "(" + global("collections", "OrderedDict") + "o.", "instruction OBJ"},
        {"newobj", start + global("collections", "OrderedDict") + ")\x81.", "instruction NEWOBJ"},
        {"newobj_ex", start + global("collections", "OrderedDict") + ")}\x92.", "instruction NEWOBJ_EX"},
        {"ext1", start + "\x82\x01.", "instruction EXT1"},
        {"ext2", start + "\x83\x01\x01.", "EXT2"},
        {"ext4", start + std::string("\x84\x01\x00\x00\x00.", 6), "instruction EXT4"},
        {"text_persistent_id", start + "P0\n.", "instruction PERSID"},
        {"unknown_instruction", start + "\xff.", "instruction number 255"},
        {"buffer", start + "\x97.", "instruction number 151"},
        {"neighbour_of_an_allowed_name", one(global("torch._utils", "_rebuild_tensor")), "refers to"},
        {"allowed_name_of_another_module", one(global("evil", "OrderedDict")), "refers to 'evil.OrderedDict'"},
        {"storage_type_of_another_module", one(global("evil", "FloatStorage")), "refers to 'evil.FloatStorage'"},
        {"attribute_of_a_module", one(global("collections", "OrderedDict.__init__")), "refers to"},
        {"class_called", one(call(global("torch", "FloatStorage"), number(3))), "calls a class"},
        {"tensor_called", one(tensor(sound_storage, 0, {2}, {1}) + ")R"), "calls a tensor"},
        {"string_called", one(text("system") + ")R"), "calls a string"},
        {"arguments_are_no_tuple", one(global("collections", "OrderedDict") + text("x") + "R"),
         "a string where the arguments of a call should be"},
        {"ordered_dict_of_something", one(call(global("collections", "OrderedDict"), "}")),
         "makes an OrderedDict in a way"},
        {"attributes_of_a_tensor", one(tensor(sound_storage, 0, {2}, {1}) + "}b"), "the attributes of a tensor"},
        {"attributes_of_a_class", one(global("torch", "FloatStorage") + "}b"), "the attributes of a class"}}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Shape, HostilePickle,
    testing::ValuesIn(std::vector<Hostile>{
        {"empty", "", "ends in the middle"},
        {"one_byte", "\x80", "ends in the middle"},
        {"text", "hello", "no pickle of protocol 2"},
        {"protocol_0", "(dp0\n.", "no pickle of protocol 2"},
        {"protocol_1", "\x80\x01}.", "protocol 1"},
        {"protocol_6", "\x80\x06}.", "protocol 6"},
        {"no_stop", start + "}", "ends in the middle"},
        {"nothing", start + stop, "more than one value"},
        {"two_values", start + "}}.", "more than one value"},
        {"open_mark", start + "(}.", "more than one"},
        {"more_after_the_end", start + "}.}", "goes on after its end"},
        {"frame_too_long", "\x80\x04\x95" + little(1000, 8) + "}.", "ends in the middle"},
        {"frame_of_2_64", "\x80\x04\x95" + little(~0ULL, 8) + "}.", "ends in the middle"},
        {"number_at_the_top", start + "K\x01.", "it holds a number, not a dictionary"},
        {"tensor_at_the_top", start + tensor(sound_storage, 0, {2}, {1}) + stop, "it holds a tensor, not a"},
        {"below_the_stack", start + "\x85.", "lacks its values"},
        {"tuple_without_mark", start + "t.", "lacks its values"},
        {"items_without_mark", start + "}u.", "lacks its values"},
        {"below_the_mark", start + "}(" + text("a") + "s.", "lacks its values"},
        {"item_of_a_tuple", start + ")" + text("a") + "Ns.", "lacks its values"},
        {"odd_items", start + "}(" + text("a") + "u.", "lacks its values"},
        {"memo_never_set", start + "h\x05.", "lacks its values"},
        {"memo_of_nothing", start + std::string("q\0.", 3), "lacks its values"},
        {"reduce_of_nothing", start + "R.", "lacks its values"},
        {"build_of_nothing", start + "b.", "lacks"},
        {"text_too_long", start + "X" + little(0xffffffff, 4) + "abc", "ends in the middle"},
        {"text_of_2_64", start + "\x8d" + little(~0ULL, 8) + "abc", "ends in the middle"},
        {"number_of_2000_bits", start + "\x8a\xfa" + std::string(250, 'x'), "more than 64 bits"},
        {"number_of_4_GB", start + "\x8b" + little(0xffffffff, 4), "instruction LONG4"},
        {"names_that_are_numbers", dictionary(number(1) + tensor(sound_storage, 0, {2}, {1})),
         "a number where a tensor's name should be"},
        {"a_name_twice", dictionary(repeated(text("a") + tensor(sound_storage, 0, {2}, {1}), 2)),
         "tensor 'a' is given twice"},
        {"an_endless_tensor_name", dictionary(text(std::string(2000, 'n')) + tensor(sound_storage, 0, {2}, {1})),
         "a name of over 1000 bytes"},
        {"nested_dictionary", one("}"), "'a' is a dictionary, not a tensor"},
        {"number_as_value", one(number(3)), "'a' is a number, not a tensor"},
        {"storage_as_value", one(sound_storage), "'a' is a storage, not a tensor"}}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(
    Storage, HostilePickle,
    testing::ValuesIn(std::vector<Hostile>{
        {"id_is_a_string", one(text("0") + "Q"), "a string where a storage's description should be"},
        {"id_is_empty", one(")Q"), "describes a storage in a way"},
        {"id_of_four", one(tuple(text("storage") + global("torch", "FloatStorage") + text("0") + number(2)) + "Q"),
         "describes a storage in a way"},
        Hostile{
            "id_of_six",
            one(tuple(text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu") + number(2) + "N") +
                "Q"),
            "describes a storage in a way"},
        Hostile{
            "another_word",
            one(tuple(text("module") + global("torch", "FloatStorage") + text("0") + text("cpu") + number(2)) + "Q"),
            "describes a storage in a way"},
        {"type_is_a_string",
         one(tuple(text("storage") + text("FloatStorage") + text("0") + text("cpu") + number(2)) + "Q"),
         "describes a storage in a way"},
        Hostile{
            "numel_is_a_string",
            one(tuple(text("storage") + global("torch", "FloatStorage") + text("0") + text("cpu") + text("2")) + "Q"),
            "describes a storage in a way"},
        {"negative_numel", one(tensor(storage("0", -2), 0, {2}, {1})), "a negative number of elements"},
        {"missing", one(tensor(storage("7", 2), 0, {2}, {1})), "is in storage 7, which is missing"},
        {"key_is_a_path", one(tensor(storage("../version", 2), 0, {2}, {1})), "names a storage '../version'"},
        {"key_is_empty", one(tensor(storage("", 2), 0, {2}, {1})), "names a storage ''"},
        {"smaller_than_said", one(tensor(storage("0", 3), 0, {2}, {1})), "should hold 3 numbers of type float32"},
        {"larger_than_said", one(tensor(storage("0", 1), 0, {1}, {1})), "should hold 1 numbers"},
        {"of_another_type", one(tensor(storage("0", 2, "LongStorage"), 0, {2}, {1})), "numbers of type int64"},
        {"numel_overflows", one(tensor(storage("0", (1LL << 62) + 2), 0, {2}, {1})), "should hold 4611686018427387906"},
        {"numel_wraps_to_the_size", one(tensor(storage("0", std::int64_t{1} << 61, "LongStorage"), 0, {2}, {1})),
         "should hold 2305843009213693952"}}),
    name_of_case);

INSTANTIATE_TEST_SUITE_P(
    View, HostilePickle,
    testing::ValuesIn(std::vector<Hostile>{
        {"offset_behind_the_end", view(3, {0}, {1}), "from place 3 on reaches beyond its storage of 2"},
        {"one_too_many", view(1, {2}, {1}), "reaches beyond its storage of 2 numbers"},
        {"huge_offset", view(INT64_MAX, {2}, {1}), "reaches beyond its storage"},
        {"negative_offset", view(-1, {2}, {1}), "no whole number from 0 on"},
        {"too_large", view(0, {3}, {1}), "reaches beyond its storage"},
        {"negative_size", view(0, {-2}, {1}), "no whole number from 0 on"},
        {"two_negative_sizes", view(0, {-1, -2}, {2, 1}), "no whole number from 0 on"},
        {"size_overflows", view(0, {1LL << 32, 1LL << 32}, {1LL << 32, 1}), "the impossible shape"},
        {"size_overflows_to_2", view(0, {1LL << 62, 4, 2}, {8, 2, 1}), "the impossible shape"},
        {"negative_stride", view(1, {2}, {-1}), "no whole number from 0 on"},
        {"stride_of_0", view(0, {2}, {0}), "not stored row by row (its strides are [0])"},
        {"overlapping", view(0, {2, 2}, {1, 1}), "not stored row by row"},
        {"every_second", view(0, {1, 2}, {2, 2}), "not stored row by row"},
        {"huge_stride", view(0, {2}, {INT64_MAX}), "not stored row by row"},
        {"fewer_strides", view(0, {2, 1}, {1}), "not stored row by row"},
        {"more_strides", view(0, {2}, {1, 1}), "not stored row by row"},
        {"17_dimensions", view(0, std::vector<std::int64_t>(17, 1), std::vector<std::int64_t>(17, 1)),
         "describes a tensor in a way"},
        {"shape_of_strings",
         one(call(global("torch._utils", "_rebuild_tensor_v2"),
                  sound_storage + number(0) + tuple(text("2")) + numbers({1}) + "\x89" + ordered_dict())),
         "no whole number from 0 on"},
        {"offset_is_a_string",
         one(call(global("torch._utils", "_rebuild_tensor_v2"),
                  sound_storage + text("0") + numbers({2}) + numbers({1}) + "\x89" + ordered_dict())),
         "describes a tensor in a way"},
        {"a_tensor_for_a_storage",
         one(call(global("torch._utils", "_rebuild_tensor_v2"), tensor(sound_storage, 0, {2}, {1}) + number(0) +
                                                                    numbers({2}) + numbers({1}) + "\x89" +
                                                                    ordered_dict())),
         "describes a tensor in a way"},
        {"hooks_that_are_code",
         one(call(global("torch._utils", "_rebuild_tensor_v2"),
                  sound_storage + number(0) + numbers({2}) + numbers({1}) + "\x89" + global("os", "system"))),
         "refers to 'os.system'"},
        {"too_few_arguments", one(call(global("torch._utils", "_rebuild_tensor_v2"), sound_storage)),
         "describes a tensor in a way"}}),
    name_of_case);

// Small programs that would make a machine work without end.
INSTANTIATE_TEST_SUITE_P(
    Bomb, HostilePickle,
    testing::ValuesIn(std::vector<Hostile>{
        // Each tuple holds the one before it twice: 2^100 leaves.
        {"doubling", one(")q\x01" + repeated("h\x01\x86q\x01", 100)), "'a' is a tuple, not a tensor"},
        {"deep_tuples", one(")" + repeated("\x85", 900'000)), "'a' is a tuple, not a tensor"},
        {"deep_marks", start + repeated("(", 1'000'000), "more values than any model needs"},
        {"deep_dictionaries", start + repeated("}" + text("a"), 400'000) + "N" + repeated("s", 400'000) + stop,
         "'a' is a dictionary, not a tensor"},
        {"a_dictionary_in_itself", start + "}q\x01" + text("a") + "h\x01s.", "'a' is a dictionary, not a tensor"},
        {"many_values", start + repeated("N", 1'100'000), "more values than any model needs"},
        {"many_references", start + "Nq\x01" + repeated("h\x01", 1'100'000), "more values than any model needs"},
        {"many_memos", "\x80\x04N" + repeated("\x94", 1'100'000), "more values than any model needs"},
        {"a_long_shape_for_many_tensors",
         start + "(" + repeated("K\x01", 100'000) + "tq\x02" +
             call(global("torch._utils", "_rebuild_tensor_v2"),
                  sound_storage + number(0) + "h\x02h\x02\x89" + ordered_dict()),
         "describes a tensor in a way"},
        {"larger_than_any_dictionary", start + std::string(65'000'000, 'N'), "larger than any dictionary"}}),
    name_of_case);

TEST(HostilePickles, AttributesAndSharedValuesDoNoHarm) {
  // Attributes hold the dictionary itself; a tuple of tuples hangs on every name.
  const std::string pickle = start + ordered_dict() + "q\x01(" + text("a") + tensor(sound_storage, 0, {2}, {1}) + "u" +
                             "}" + text("_metadata") + "h\x01s" + text("bomb") + ")" + repeated("q\x02h\x02\x86", 200) +
                             "sb" + stop;
  EXPECT_EQ(parse(pickle).size(), 1U);
}

TEST(HostilePickles, EveryBeginningIsRefused) {
  const std::string pickle = one_tensor();
  for (std::size_t length = 0; length < pickle.size(); ++length) {
    expect_error(ErrorCode::bad_input, "data.pkl", [&] { return parse(pickle.substr(0, length)); });
  }
}

TEST(HostilePickles, RandomDamageNeverCrashes) {
  const std::string pickle =
      dictionary(text("a") + tensor(sound_storage, 0, {2}, {1}) + text("b") + tensor(sound_storage, 1, {1, 1}, {1, 1}));
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = pickle;
    for (int i = 0; i <= round % 4; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    try {
      for (const auto& [name, tensor] : parse(damaged)) ASSERT_LE(tensor.data.size(), 8U);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::bad_input) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 10'000U);
}

}  // namespace
}  // namespace pleat

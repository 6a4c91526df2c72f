#include <regex>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "weights/checkpoint.h"
#include "weights/strict_json.h"

namespace pleat {
namespace {

// One kind of misfit: how many there are, and the first of them written out.
class Problems {
 public:
  explicit Problems(std::string title) : title_(std::move(title)) {}

  void add(const std::string& line) {
    if (++count_ <= most_shown) lines_ += "\n    " + line;
  }

  [[nodiscard]] std::string text() const {
    if (count_ == 0) return {};
    std::string text = "\n  " + std::to_string(count_) + " " + title_ + ":" + lines_;
    if (count_ > most_shown) text += "\n    ... and " + std::to_string(count_ - most_shown) + " more";
    return text;
  }

 private:
  static constexpr std::size_t most_shown = 20;
  std::string title_;
  std::string lines_;
  std::size_t count_ = 0;
};

bool is_of_kind(DType type, NumberKind kind) {
  const bool floating = type == DType::float32 || type == DType::float16 || type == DType::bfloat16;
  return kind == NumberKind::floating ? floating : type == DType::int64;
}

const char* text_of(NumberKind kind) { return kind == NumberKind::floating ? "floating point" : "int64"; }

bool matches_any(const std::string& name, const std::vector<std::regex>& patterns) {
  // The standard library's matcher recurses once a letter: an absurdly long name is matched by nothing.
  if (name.size() > 1000) return false;
  for (const std::regex& pattern : patterns) {
    if (std::regex_match(name, pattern)) return true;
  }
  return false;
}

}  // namespace

void check_tensors(const std::map<std::string, TensorView>& tensors, const std::vector<TensorSpec>& specs,
                   const std::vector<std::string>& benign) {
  Problems missing("missing");
  Problems unexpected("unexpected");
  Problems misshapen("with another shape");
  Problems mistyped("of another type");
  std::set<std::string> expected;
  for (const TensorSpec& spec : specs) {
    expected.insert(spec.name);
    const auto found = tensors.find(spec.name);
    if (found == tensors.end()) {
      missing.add(in_quotes(spec.name) + " " + shape_text(spec.shape));
      continue;
    }
    const TensorView& tensor = found->second;
    if (tensor.shape != spec.shape) {
      misshapen.add(in_quotes(spec.name) + " is " + shape_text(tensor.shape) + " and should be " +
                    shape_text(spec.shape));
    }
    if (!is_of_kind(tensor.dtype, spec.kind)) {
      mistyped.add(in_quotes(spec.name) + " is " + std::string(name_of(tensor.dtype)) + " and should be " +
                   text_of(spec.kind));
    }
  }
  const std::vector<std::regex> patterns(benign.begin(), benign.end());
  for (const auto& [name, tensor] : tensors) {
    if (!expected.contains(name) && !matches_any(name, patterns)) unexpected.add(in_quotes(name));
  }
  const std::string problems = missing.text() + unexpected.text() + misshapen.text() + mistyped.text();
  if (problems.empty()) return;
  throw Error(ErrorCode::bad_input, "the weights do not fit the model that config.json describes; tensors" + problems,
              "check that config.json and the weights belong together");
}

}  // namespace pleat

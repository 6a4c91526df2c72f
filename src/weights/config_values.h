// The values of config.json by name, with their types and ranges checked.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace pleat {

// Throws Error(bad_input) that says "ORIGIN: REASON".
[[noreturn]] void refuse_config(const std::string& origin, const std::string& reason, std::string hint = {});

// One object of config.json. A name with the value null counts as absent; a value of a wrong type, or out of range, is
// refused by name. The object and `origin` must outlive the view.
class ConfigValues {
 public:
  // Throws Error(bad_input) when `object` is no object. `path` is the object's place, "esmfold_config.trunk", and empty
  // for the whole file.
  ConfigValues(const nlohmann::json& object, const std::string& origin, std::string path = {});

  [[nodiscard]] const nlohmann::json* find(const std::string& name) const;
  [[nodiscard]] std::optional<std::int64_t> whole(const std::string& name, std::int64_t low, std::int64_t high) const;
  [[nodiscard]] std::int64_t needed_whole(const std::string& name, std::int64_t low, std::int64_t high) const;
  [[nodiscard]] bool flag(const std::string& name, bool otherwise) const;
  [[nodiscard]] double number(const std::string& name, double otherwise) const;
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const;
  // An object inside this one; an empty one where it is absent.
  [[nodiscard]] ConfigValues inner(const std::string& name) const;

  // `name` with the path to it: "esmfold_config.trunk.num_blocks".
  [[nodiscard]] std::string full_name(const std::string& name) const;
  [[nodiscard]] const std::string& origin() const { return *origin_; }

 private:
  [[noreturn]] void wrong(const std::string& name, const nlohmann::json& value, const std::string& wanted) const;

  const nlohmann::json* object_;
  const std::string* origin_;
  std::string path_;
};

}  // namespace pleat

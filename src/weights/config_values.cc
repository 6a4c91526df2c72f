#include "weights/config_values.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "weights/strict_json.h"

namespace pleat {

using nlohmann::json;

void refuse_config(const std::string& origin, const std::string& reason, std::string hint) {
  throw Error(ErrorCode::bad_input, origin + ": " + reason, std::move(hint));
}

ConfigValues::ConfigValues(const json& object, const std::string& origin, std::string path)
    : object_(&object), origin_(&origin), path_(std::move(path)) {
  if (!object.is_object()) refuse_config(origin, (path_.empty() ? std::string() : path_ + " is ") + "not an object");
}

const json* ConfigValues::find(const std::string& name) const {
  const auto found = object_->find(name);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::int64_t> ConfigValues::whole(const std::string& name, std::int64_t low, std::int64_t high) const {
  const json* const value = find(name);
  if (value == nullptr) return std::nullopt;
  const bool fits = value->is_number_unsigned() && value->get<std::uint64_t>() <= static_cast<std::uint64_t>(high) &&
                    value->get<std::uint64_t>() >= static_cast<std::uint64_t>(low);
  if (!fits) wrong(name, *value, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return value->get<std::int64_t>();
}

std::int64_t ConfigValues::needed_whole(const std::string& name, std::int64_t low, std::int64_t high) const {
  const std::optional<std::int64_t> value = whole(name, low, high);
  if (!value) refuse_config(*origin_, "no " + full_name(name), "an ESM-2 model's config.json gives it");
  return *value;
}

bool ConfigValues::flag(const std::string& name, bool otherwise) const {
  const json* const value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) wrong(name, *value, "true or false");
  return value->get<bool>();
}

double ConfigValues::number(const std::string& name, double otherwise) const {
  const json* const value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) wrong(name, *value, "a number");
  return value->get<double>();
}

std::string ConfigValues::text(const std::string& name, const std::string& otherwise) const {
  const json* const value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) wrong(name, *value, "a string");
  return value->get<std::string>();
}

ConfigValues ConfigValues::inner(const std::string& name) const {
  static const json empty = json::object();
  const json* const value = find(name);
  return {value == nullptr ? empty : *value, *origin_, full_name(name)};
}

std::string ConfigValues::full_name(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

void ConfigValues::wrong(const std::string& name, const json& value, const std::string& wanted) const {
  refuse_config(*origin_, full_name(name) + " is " + in_quotes(value.dump()) + ", not " + wanted);
}

}  // namespace pleat

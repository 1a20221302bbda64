#pragma once

#include <nlohmann/json.hpp>
#include <optional>

namespace sae {

using Json = nlohmann::ordered_json;

// A struct whose fields are to be written and read as a JSON object lists them once:
//   template <typename F> void fields(F& field, T& value) { field("name", value.name); ... }

struct FieldWriter {
  Json& json;
  template <typename T>
  void operator()(const char* name, const T& value) {
    json[name] = value;
  }
};

/// A field that is missing keeps its value. Throws: Json::exception if it has another type.
struct FieldReader {
  const Json& json;
  template <typename T>
  void operator()(const char* name, T& value) {
    if (const auto found = json.find(name); found != json.end()) found->get_to(value);
  }
};

template <typename T>
concept HasFields = requires(T& value, FieldReader& reader) {
  fields(reader, value);
};

template <HasFields T>
void to_json(Json& json, const T& value) {
  json = Json::object();
  FieldWriter writer{json};
  T copy = value;  // Readers need it to be changeable.
  fields(writer, copy);
}

template <HasFields T>
void from_json(const Json& json, T& value) {
  FieldReader reader{json};
  fields(reader, value);
}

}  // namespace sae

/// None is null.
template <typename T>
struct nlohmann::adl_serializer<std::optional<T>> {
  template <typename AnyJson>
  static void to_json(AnyJson& json, const std::optional<T>& value) {
    json = value ? AnyJson(*value) : AnyJson(nullptr);
  }
  template <typename AnyJson>
  static void from_json(const AnyJson& json, std::optional<T>& value) {
    value.reset();
    if (!json.is_null()) value = json.template get<T>();
  }
};

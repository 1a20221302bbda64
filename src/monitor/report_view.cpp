#include "report_view.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <kainjow/mustache.hpp>
#include <stdexcept>

#include "html.hpp"

namespace sae {
namespace {

namespace mustache = kainjow::mustache;

mustache::data data_of(const Json& json) {
  if (json.is_object()) {
    mustache::data object;
    for (const auto& [name, value] : json.items()) object.set(name, data_of(value));
    return object;
  }
  if (json.is_array()) {
    mustache::data list(mustache::data::type::list);
    for (const Json& value : json) list.push_back(data_of(value));
    return list;
  }
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    return text.empty() ? mustache::data(false) : mustache::data(text);
  }
  if (json.is_null() || json.is_boolean()) return json.is_boolean() && json.get<bool>();
  return json.dump();
}

bool is_number(std::string_view cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.,:+-e% ") == std::string_view::npos;
}

}  // namespace

std::string render(const char* text, const Json& view) {
  mustache::mustache page(text);
  page.set_custom_escape(escaped);
  mustache::data data = data_of(view);
  data.set("html_table", mustache::partial([] { return std::string(kTableTemplate); }));
  std::string html = page.render(data);
  if (!page.is_valid()) throw std::logic_error(page.error_message());
  return html;
}

Json table_view(const std::string& caption, const std::vector<std::string>& header,
                const Rows& rows) {
  Json view = {{"caption", caption}, {"header", header}, {"rows", Json::array()}};
  for (const auto& row : rows) {
    Json cells = Json::array();
    for (const std::string& text : row) {
      cells.push_back({{"head", cells.empty()}, {"text", text}, {"number", is_number(text)}});
    }
    view["rows"].push_back({{"cells", std::move(cells)}});
  }
  return view;
}

std::string date_and_time(double seconds_since_1970) {
  // What lies outside the years that a calendar knows comes from a damaged file.
  if (!(seconds_since_1970 >= 0 && seconds_since_1970 < 4e11)) return "at an unknown time";
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  return fmt::format("{:%Y-%m-%d %H:%M:%S %z}", fmt::localtime(seconds));
}

}  // namespace sae

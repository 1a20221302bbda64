#include "setting_options.hpp"

#include <fmt/format.h>

namespace po = boost::program_options;

namespace sae {
namespace {

using Texts = std::vector<std::string>;

void add_option(const Setting& setting, po::options_description& options) {
  const std::string initial = setting.write(Configuration());
  const po::value_semantic* semantic = nullptr;
  if (setting.is_flag) {
    semantic = po::bool_switch();
  } else if (setting.is_list) {
    auto* list = po::value<Texts>()->multitoken()->value_name(setting.placeholder);
    semantic = initial.empty() ? list : list->default_value({initial}, initial);
  } else {
    auto* text = po::value<std::string>()->value_name(setting.placeholder);
    semantic = initial.empty() ? text : text->default_value(initial);
  }
  options.add_options()(setting.name.c_str(), semantic, setting.help.c_str());
}

}  // namespace

po::options_description setting_options(const std::vector<std::string>& names) {
  po::options_description all;
  if (!names.empty()) {
    for (const std::string& name : names) add_option(setting(name), all);
    return all;
  }
  std::vector<po::options_description> groups;
  std::string_view heading;
  for (const Setting& setting : settings()) {
    if (setting.group != heading) groups.emplace_back(std::string(setting.group));
    heading = setting.group;
    add_option(setting, groups.back());
  }
  for (const auto& group : groups) all.add(group);
  return all;
}

SettingTexts given_settings(const po::variables_map& values) {
  SettingTexts given;
  for (const Setting& setting : settings()) {
    const auto found = values.find(setting.name);
    if (found == values.end() || found->second.defaulted()) continue;
    if (setting.is_flag) {
      given[setting.name] = {"true"};
    } else if (setting.is_list) {
      given[setting.name] = {fmt::format("{}", fmt::join(found->second.as<Texts>(), " "))};
    } else {
      given[setting.name] = {found->second.as<std::string>()};
    }
  }
  return given;
}

}  // namespace sae

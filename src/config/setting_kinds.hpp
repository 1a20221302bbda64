#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "sae/config/settings.hpp"
#include "sae/config/values.hpp"

namespace sae {

// The kinds of settings. Each is made of the field that it sets, so that its default is the
// field's.

/// Of finite numbers.
struct Bounds {
  double least = -std::numeric_limits<double>::infinity();
  double limit = std::numeric_limits<double>::infinity();
  bool limit_allowed = false;

  void check(const std::string& option, double x) const {
    const bool below = x < limit || (limit_allowed && x == limit);
    if (std::isfinite(x) && x >= least && below) return;
    const std::string allowed =
        std::isinf(limit) ? fmt::format("at least {}", least)
                          : fmt::format("in [{}, {}{}", least, limit, limit_allowed ? "]" : ")");
    throw UsageError(fmt::format("--{} is {}, not {}.", option, allowed, x));
  }
};

inline void require_one_for_each_layer(const std::string& option, std::size_t values,
                                       const Configuration& c) {
  require(values == c.layers.size(),
          fmt::format("--{} has {} values for {} hidden layers; give one for each, or one for all.",
                      option, values, c.layers.size()));
}

inline Setting text_setting(const std::string& name, const std::string& placeholder,
                            const std::string& help, std::filesystem::path Configuration::*field) {
  return {.name = name,
          .placeholder = placeholder,
          .help = help,
          .read = [field](Configuration& c, const std::string& text) { c.*field = text; },
          .write = [field](const Configuration& c) { return (c.*field).string(); }};
}

inline Setting flag_setting(const std::string& name, const std::string& help,
                            bool Configuration::*field) {
  return {.name = name,
          .help = help,
          .is_flag = true,
          .read =
              [name, field](Configuration& c, const std::string& text) {
                c.*field = choose<bool>(name, text, {{"true", true}, {"false", false}});
              },
          .write = [field](const Configuration& c) { return c.*field ? "true" : "false"; }};
}

/// Such as "tied|free"; tells `help` what each is.
template <typename Value>
std::string placeholder_of(const Choices<Value>& choices, std::string& help) {
  std::string placeholder;
  for (const auto& choice : choices) {
    placeholder += (placeholder.empty() ? "" : "|") + choice.name;
    if (!choice.description.empty())
      help += fmt::format("; {}: {}", choice.name, choice.description);
  }
  return placeholder;
}

template <typename Value>
Setting choice_setting(const std::string& name, const Choices<Value>& choices, std::string help,
                       Value Configuration::*field) {
  const std::string placeholder = placeholder_of(choices, help);
  return {.name = name,
          .placeholder = placeholder,
          .help = help,
          .read = [name, field, choices](
                      Configuration& c,
                      const std::string& text) { c.*field = choose(name, text, choices); },
          .write = [field, choices](const Configuration& c) { return name_of(c.*field, choices); }};
}

/// One choice per hidden layer, or one for all.
template <typename Value>
Setting choices_setting(const std::string& name, const Choices<Value>& choices, std::string help,
                        Value LayerSettings::*field) {
  const std::string placeholder = placeholder_of(choices, help);
  return {.name = name,
          .placeholder = placeholder,
          .help = help,
          .is_list = true,
          .read =
              [name, field, choices](Configuration& c, const std::string& text) {
                auto names = words_of(text);
                require(!names.empty(), fmt::format("--{} needs a value.", name));
                if (names.size() == 1) names.resize(c.layers.size(), names[0]);
                require_one_for_each_layer(name, names.size(), c);
                for (std::size_t i = 0; i < names.size(); ++i) {
                  c.layers[i].*field = choose(name, names[i], choices);
                }
              },
          .write =
              [field, choices](const Configuration& c) {
                std::vector<std::string> names;
                for (const LayerSettings& layer : c.layers) {
                  names.push_back(name_of(layer.*field, choices));
                }
                return joined(names);
              },
          .count = [](const std::string& text) { return words_of(text).size(); }};
}

/// A whole number (Index) or a real (double).
template <typename Number>
Setting number_setting(const std::string& name, const std::string& placeholder, Bounds bounds,
                       const std::string& help, Number Configuration::*field) {
  return {.name = name,
          .placeholder = placeholder,
          .help = help,
          .read =
              [name, bounds, field](Configuration& c, const std::string& text) {
                if constexpr (std::is_same_v<Number, Index>) {
                  c.*field = parse_integer(name, text);
                } else {
                  c.*field = parse_real(name, text);
                }
                bounds.check(name, static_cast<double>(c.*field));
              },
          .write =
              [field](const Configuration& c) { return list_of({static_cast<double>(c.*field)}); }};
}

/// A real number within a value such as Distortion.
template <typename Value>
Setting number_setting(const std::string& name, const std::string& placeholder, Bounds bounds,
                       const std::string& help, Value Configuration::*field,
                       double Value::*number) {
  return {.name = name,
          .placeholder = placeholder,
          .help = help,
          .read =
              [=](Configuration& c, const std::string& text) {
                c.*field.*number = parse_real(name, text);
                bounds.check(name, c.*field.*number);
              },
          .write = [=](const Configuration& c) { return list_of({c.*field.*number}); }};
}

/// A number, or "auto" for one that is not decided.
template <typename Number>
Setting number_or_auto_setting(const std::string& name, const std::string& placeholder,
                               Bounds bounds, const std::string& help,
                               std::optional<Number> Configuration::*field) {
  return {.name = name,
          .placeholder = "auto|" + placeholder,
          .help = help,
          .read =
              [name, bounds, field](Configuration& c, const std::string& text) {
                (c.*field).reset();
                if (text == "auto") return;
                if constexpr (std::is_same_v<Number, Index>) {
                  c.*field = parse_integer(name, text);
                } else {
                  c.*field = parse_real(name, text);
                }
                bounds.check(name, static_cast<double>(*(c.*field)));
              },
          .write =
              [field](const Configuration& c) {
                return c.*field ? list_of({static_cast<double>(*(c.*field))}) : std::string("auto");
              }};
}

/// One value per hidden layer, or one for all: Index, double or std::optional<double>.
template <typename Number>
Setting list_setting(const std::string& name, Bounds bounds, const std::string& help,
                     Number LayerSettings::*field) {
  const auto numbers = [name](const std::string& text) {
    if constexpr (std::is_same_v<Number, Index>) {
      const auto integers = parse_integers(name, text);
      return std::vector<double>(integers.begin(), integers.end());
    } else {
      return parse_reals(name, text);
    }
  };
  return {.name = name,
          .placeholder = "LIST",
          .help = help,
          .is_list = true,
          .read =
              [name, bounds, field, numbers](Configuration& c, const std::string& text) {
                auto values = numbers(text);
                if (values.size() == 1) values.resize(c.layers.size(), values[0]);
                require_one_for_each_layer(name, values.size(), c);
                for (std::size_t i = 0; i < values.size(); ++i) {
                  bounds.check(name, values[i]);
                  if constexpr (std::is_same_v<Number, Index>) {
                    c.layers[i].*field = static_cast<Index>(values[i]);
                  } else {
                    c.layers[i].*field = values[i];
                  }
                }
              },
          .write =
              [field](const Configuration& c) {
                std::vector<double> values;
                for (const LayerSettings& layer : c.layers) {
                  if constexpr (std::is_same_v<Number, std::optional<double>>) {
                    if (!(layer.*field)) return std::string();
                    values.push_back(*(layer.*field));
                  } else {
                    values.push_back(static_cast<double>(layer.*field));
                  }
                }
                return list_of(values);
              },
          .count = [numbers](const std::string& text) { return numbers(text).size(); }};
}

inline Setting with(Setting setting, OnResume on_resume) {
  setting.on_resume = on_resume;
  return setting;
}

/// One that came later: programs before it did this.
inline Setting since(Setting setting, std::string before) {
  setting.before = std::move(before);
  return setting;
}

inline Setting following(Setting setting, std::string other) {
  setting.follows = std::move(other);
  return setting;
}

}  // namespace sae

#include "comparison.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <tuple>

#include "sae/config/settings.hpp"

namespace sae {
namespace {

using Values = std::map<std::string, std::string>;

/// The value that a run trained with; empty if it is not known.
std::string value_in(const Values& values, const std::string& name) {
  if (const auto found = values.find(name); found != values.end()) return found->second;
  const Setting* setting = find_setting(name);
  if (setting == nullptr) return {};
  return setting->follows.empty() ? setting->before : value_in(values, setting->follows);
}

/// Those of any run: first the known ones in their order, then the others.
std::vector<std::string> setting_names(const std::vector<ComparedRun>& runs) {
  std::set<std::string> given;
  for (const ComparedRun& run : runs) {
    for (const auto& setting : run.record.configuration) given.insert(setting.first);
  }
  std::vector<std::string> names;
  for (const Setting& setting : settings()) {
    if (given.erase(setting.name) > 0) names.push_back(setting.name);
  }
  names.insert(names.end(), given.begin(), given.end());
  return names;
}

/// None if any part of the list is no number.
std::optional<std::vector<double>> numbers_in(std::string_view text) {
  std::vector<double> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    double number = 0;
    const char* last = text.data() + end;
    const auto [stop, error] = std::from_chars(text.data() + begin, last, number);
    if (error != std::errc() || stop != last || !std::isfinite(number)) return std::nullopt;
    numbers.push_back(number);
    begin = end + 1;
  }
  return numbers;
}

/// With zeros before each number, so that the order of letters is that of numbers.
std::string with_long_numbers(const std::string& text) {
  constexpr std::size_t kDigits = 20;
  const auto is_digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  std::string result;
  for (auto at = text.begin(); at != text.end();) {
    const auto digits = std::find_if_not(at, text.end(), is_digit);
    const auto count = static_cast<std::size_t>(digits - at);
    if (count > 0 && count < kDigits) result.append(kDigits - count, '0');
    result.append(at, digits);
    at = digits;
    if (at != text.end()) result += *at++;
  }
  return result;
}

}  // namespace

std::vector<std::string> names_of(const std::vector<std::filesystem::path>& folders) {
  std::vector<std::vector<std::filesystem::path>> parts;
  for (const auto& folder : folders) {
    auto path = std::filesystem::absolute(folder).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    parts.emplace_back(path.begin(), path.end());
  }
  std::size_t common = 0;
  const auto is_above_all = [&](std::size_t depth) {
    return std::ranges::all_of(parts, [&](const auto& path) {
      return depth + 1 < path.size() && path[depth] == parts[0][depth];
    });
  };
  while (!parts.empty() && is_above_all(common)) ++common;
  std::vector<std::string> names;
  for (const auto& path : parts) {
    std::filesystem::path name;
    for (std::size_t i = common; i < path.size(); ++i) name /= path[i];
    names.push_back(name.string());
  }
  return names;
}

ComparedSettings compare_settings(const std::vector<ComparedRun>& runs) {
  std::vector<Values> values_of_runs;
  for (const ComparedRun& run : runs) {
    const auto& configuration = run.record.configuration;
    values_of_runs.emplace_back(configuration.begin(), configuration.end());
  }
  ComparedSettings result;
  for (const std::string& name : setting_names(runs)) {
    std::vector<std::string> values;
    values.reserve(runs.size());
    for (const Values& run : values_of_runs) values.push_back(value_in(run, name));
    if (std::ranges::all_of(values, [&](const auto& value) { return value == values[0]; })) {
      result.same.emplace_back(name, values[0]);
    } else {
      result.different.push_back({name, std::move(values)});
    }
  }
  return result;
}

Figure figure_of(const Evaluation& evaluation) {
  if (evaluation.errors) return {true, evaluation.error_percent(), evaluation.loss};
  return {false, evaluation.loss, evaluation.loss};
}

std::optional<BestFigure> best_figure(const RunRecord& record) {
  const auto& epochs = record.epochs;
  const auto best = std::find_if(epochs.rbegin(), epochs.rend(), [](const EpochRecord& epoch) {
    return epoch.best && (epoch.validation_error || epoch.validation_loss);
  });
  if (best == epochs.rend()) return std::nullopt;
  const double loss = best->validation_loss.value_or(0);
  return BestFigure{.figure = {.is_error = best->validation_error.has_value(),
                               .value = best->validation_error.value_or(loss),
                               .loss = loss},
                    .epoch = best->epoch};
}

bool SortKey::operator<(const SortKey& other) const {
  return std::tie(kind, numbers, text) < std::tie(other.kind, other.numbers, other.text);
}

SortKey key_of(const std::optional<Figure>& figure) {
  if (!figure || !std::isfinite(figure->value)) return {};
  const double loss = std::isfinite(figure->loss) ? figure->loss : 0;
  return {.kind = figure->is_error ? 0 : 1, .numbers = {figure->value, loss}};
}

SortKey key_of(const std::string& text) {
  if (text.empty()) return {};
  if (auto numbers = numbers_in(text)) return {.kind = 0, .numbers = std::move(*numbers)};
  return {.kind = 1, .text = with_long_numbers(text)};
}

std::vector<std::size_t> places_of(const std::vector<SortKey>& keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  std::vector<std::size_t> places(keys.size());
  for (std::size_t place = 0; place < order.size(); ++place) places[order[place]] = place;
  return places;
}

void sort_runs(std::vector<ComparedRun>& runs) {
  std::vector<SortKey> keys;
  for (const ComparedRun& run : runs) {
    const auto best = best_figure(run.record);
    keys.push_back(key_of(best ? std::optional(best->figure) : std::nullopt));
  }
  const auto places = places_of(keys);
  std::vector<ComparedRun> sorted(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) sorted[places[i]] = std::move(runs[i]);
  runs = std::move(sorted);
}

}  // namespace sae

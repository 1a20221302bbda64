#include "parsing.hpp"

#include "sae/core/numbers.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

template <typename Number>
std::vector<Number> numbers_of(const std::string& option, const std::vector<std::string>& texts,
                               const char* kind) {
  std::vector<Number> numbers;
  for (const std::string& text : texts) {
    const auto parsed = parse_numbers<Number>(text);
    require(parsed.has_value(), fmt::format("--{} takes {}, not '{}'.", option, kind, text));
    numbers.insert(numbers.end(), parsed->begin(), parsed->end());
  }
  require(!numbers.empty(), fmt::format("--{} needs a value.", option));
  return numbers;
}

}  // namespace

po::variables_map parse_arguments(const std::vector<std::string>& arguments,
                                  const po::options_description& options,
                                  const po::positional_options_description& positional) {
  using po::command_line_style::allow_long;
  using po::command_line_style::long_allow_adjacent;
  using po::command_line_style::long_allow_next;
  po::variables_map values;
  try {
    po::store(po::command_line_parser(arguments)
                  .options(options)
                  .positional(positional)
                  .style(allow_long | long_allow_adjacent | long_allow_next)
                  .run(),
              values);
  } catch (const po::too_many_positional_options_error&) {
    throw UsageError("There is an argument that belongs to no option; see --help.");
  } catch (const po::error& error) {
    throw UsageError(fmt::format("{}; see --help.", error.what()));
  }
  return values;
}

std::vector<double> parse_reals(const std::string& option, const std::vector<std::string>& texts) {
  return numbers_of<double>(option, texts, "numbers");
}

std::vector<Index> parse_integers(const std::string& option,
                                  const std::vector<std::string>& texts) {
  return numbers_of<Index>(option, texts, "whole numbers");
}

std::uint64_t parse_seed(const std::string& text) {
  const auto seeds = numbers_of<std::uint64_t>("seed", {text}, "a whole number of 0 or more");
  require(seeds.size() == 1, fmt::format("--seed takes one number, not '{}'.", text));
  return seeds[0];
}

std::optional<Precision> parse_precision(const std::string& option, const std::string& text) {
  return choose<std::optional<Precision>>(option, text,
                                          {{"auto", std::nullopt},
                                           {"float32", Precision::kFloat32},
                                           {"bfloat16", Precision::kBfloat16}});
}

Averaging parse_averaging(const std::string& text) {
  return choose<Averaging>(
      "averaging", text,
      {{"auto", Averaging::kAuto}, {"flat", Averaging::kFlat}, {"node", Averaging::kNode}});
}

CorruptionAt parse_corruption_at(const std::string& text) {
  return choose<CorruptionAt>("corruption-at", text,
                              {{"layer", CorruptionAt::kLayer}, {"image", CorruptionAt::kImage}});
}

CacheCodes parse_cache_codes(const std::string& text, CorruptionAt corruption_at) {
  const auto value = choose<CacheCodes>(
      "cache-codes", text,
      {{"auto", CacheCodes::kAuto}, {"on", CacheCodes::kOn}, {"off", CacheCodes::kOff}});
  require(
      value != CacheCodes::kOn || corruption_at != CorruptionAt::kImage,
      "--cache-codes on keeps clean codes, but with --corruption-at image corrupted pixels pass "
      "up through the finished layers.");
  return value;
}

Index parse_threads(const std::string& text) {
  if (text == "auto") return 0;
  const auto threads = parse_integers("threads", {text});
  require(threads.size() == 1 && threads[0] >= 1 && threads[0] <= 1024,
          fmt::format("--threads is auto or a number from 1 to 1024, not '{}'.", text));
  return threads[0];
}

void require(bool condition, const std::string& sentence) {
  if (!condition) throw UsageError(sentence);
}

}  // namespace sae

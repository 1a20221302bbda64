#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "help.hpp"
#include "options.hpp"
#include "parsing.hpp"
#include "sae/config/values.hpp"

namespace po = boost::program_options;

namespace sae {
namespace {

po::typed_value<std::string>* word(const char* unit, const char* usual = "") {
  return po::value<std::string>()->default_value(usual)->value_name(unit);
}

/// The options of one format, by the option that says so.
struct FormatOptions {
  std::string input;
  po::options_description options;
};

std::vector<FormatOptions> format_options() {
  std::vector<FormatOptions> formats;
  const auto add = [&formats](const char* input, const char* title) {
    formats.push_back({input, po::options_description(title)});
    return formats.back().options.add_options();
  };
  add("csv", "Text: a sample in each row")("csv", word("FILE"), "table to train on")(
      "test-csv", word("FILE"), "table of the test split, with the same columns")(
      "label", word("COLUMN"), "column of the labels, by its name or its number from 1")(
      "ignore", po::value<std::vector<std::string>>()->multitoken()->value_name("COLUMN..."),
      "columns to leave out")("separator", word("auto|CHARACTER", "auto"),
                              "a character, or comma, semicolon, tab, bar or blank")(
      "header", word("auto|yes|no", "auto"),
      "whether the first row holds names; auto: if it holds no number, or a word above a number");
  add("npy", "NumPy: .npy, .npz, or an array of an archive as FILE.npz:NAME")(
      "npy", word("FILE"), "samples to train on; of .npz alone x_train, x or data are taken")(
      "labels", word("FILE"), "their labels; of the same .npz y_train, y or labels are taken")(
      "test-npy", word("FILE"), "samples of the test split; of the same .npz x_test is taken");
  add("hdf5", "HDF5: arrays, named by --train-images and its companions")(
      "hdf5", word("FILE"), "take arrays of this file")(
      "transpose", po::bool_switch(), "the last dimension counts the samples, as MATLAB writes it");
  add("from", "IDX: the files of MNIST and its like, plain or packed with gzip")(
      "from", word("FOLDER"), "where the files are, by their usual names")(
      "set", word("NAME"), "which set of the folder, such as emnist-letters")(
      "train-images", word("NAME"), "IDX file or HDF5 array; instead of --from")(
      "train-labels", word("NAME"), "IDX file or HDF5 array")(
      "test-images", word("NAME"), "IDX file or HDF5 array")("test-labels", word("NAME"),
                                                             "IDX file, HDF5 array or NumPy file");
  return formats;
}

void add_common_options(po::options_description& options) {
  options.add_options()("output", word("FILE"), "the data set file to write")(
      "test-share", po::value<double>()->default_value(0)->value_name("SHARE"),
      "draw this share of the samples for the test split, such as 0.2")(
      "seed", po::value<Index>()->default_value(1)->value_name("N"), "of that draw")(
      "missing", word("refuse|mean|zero", "refuse"),
      "what becomes of empty fields, NA and NaN; mean: that of the training samples")(
      "labels-start-at", po::value<Index>()->default_value(0)->value_name("N"),
      "the label of the first class, such as 1")(
      "classes", po::value<Index>()->default_value(0)->value_name("N"),
      "number of classes; 0: the largest label plus one")(
      "pixels", word("HxW"), "samples are images of this size; integers become bytes")(
      "name", word("NAME"), "name of the data set; else that of the output file")(
      "source", word("TEXT"), "where the data come from")("license", word("TEXT"), "their licence")(
      "force", po::bool_switch(), "replace a file even if it is a model or a data set")(
      "help,h", "this text");
}

/// What an import needs to know of the words of its command.
class ImportWords {
 public:
  explicit ImportWords(const po::variables_map& values) : values_(values) {}

  std::string operator()(const char* option) const { return values_[option].as<std::string>(); }
  bool has(const std::string& option) const {
    return values_.count(option) > 0 && !values_[option].defaulted();
  }
  template <typename T>
  T get(const char* option) const {
    return values_[option].as<T>();
  }
  std::vector<std::string> list(const char* option) const {
    return has(option) ? get<std::vector<std::string>>(option) : std::vector<std::string>{};
  }

 private:
  const po::variables_map& values_;
};

/// Which of csv, npy, hdf5 and from is given, or train-images.
std::string input_of(const ImportWords& words) {
  std::string found;
  for (const char* input : {"csv", "npy", "hdf5", "from"}) {
    if (!words.has(input)) continue;
    require(found.empty(),
            fmt::format("--{} and --{} are two inputs; import takes one.", found, input));
    found = input;
  }
  if (found.empty() && words.has("train-images")) found = "train-images";
  require(!found.empty(),
          "import needs --csv, --npy, --hdf5, --from, or --train-images and its companions; see "
          "--help.");
  return found;
}

/// Refuses what would have no effect.
void check_companions(const ImportWords& words, const std::string& input) {
  const std::set<std::string> arrays = {"train-images", "train-labels", "test-images",
                                        "test-labels"};
  for (const FormatOptions& format : format_options()) {
    for (const auto& option : format.options.options()) {
      const std::string& name = option->long_name();
      if (!words.has(name)) continue;
      bool fits = format.input == input;
      if (arrays.contains(name)) {
        fits =
            input == "train-images" || input == "hdf5" || (input == "npy" && name == "test-labels");
      }
      require(fits || name == input, fmt::format("--{} does not go with --{}.", name, input));
    }
  }
}

char separator_of(const std::string& text) {
  static const std::map<std::string, char> names = {
      {"auto", '\0'}, {"comma", ','}, {"semicolon", ';'}, {"tab", '\t'},
      {"bar", '|'},   {"blank", ' '}, {"\\t", '\t'}};
  if (const auto found = names.find(text); found != names.end()) return found->second;
  require(text.size() == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r',
          fmt::format("--separator is a character, comma, semicolon, tab, bar, blank or auto, not "
                      "'{}'.",
                      text));
  return text[0];
}

template <typename Value>
Value choice_of(const char* option, const std::string& text,
                const std::vector<std::pair<std::string, Value>>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) {
    if (name == text) return value;
    names.push_back(name);
  }
  throw UsageError(
      fmt::format("--{} is one of {}, not '{}'.", option, fmt::join(names, ", "), text));
}

void parse_pixels(const std::string& text, ImportOptions& options) {
  if (text.empty()) return;
  const char* const end = text.data() + text.size();
  const auto height = std::from_chars(text.data(), end, options.height);
  bool is_right = height.ec == std::errc() && height.ptr != end && *height.ptr == 'x';
  if (is_right) {
    const auto width = std::from_chars(height.ptr + 1, end, options.width);
    is_right = width.ec == std::errc() && width.ptr == end;
  }
  require(is_right && options.height > 0 && options.width > 0 &&
              options.height <= kMaxFeatures / options.width,
          fmt::format("--pixels is a height and a width, such as 28x28, not '{}'.", text));
}

ImportOptions import_options_of(const ImportWords& words) {
  const Index classes = words.get<Index>("classes");
  require(0 <= classes && classes <= kMaxClasses,
          fmt::format("--classes is in [0, {}], not {}.", kMaxClasses, classes));
  const double share = words.get<double>("test-share");
  require(0 <= share && share < 1, fmt::format("--test-share is in [0, 1), not {}.", share));
  const Index seed = words.get<Index>("seed");
  require(seed >= 0, fmt::format("--seed is 0 or more, not {}.", seed));
  const Index first_label = words.get<Index>("labels-start-at");
  require(
      -kMaxClasses <= first_label && first_label <= 1'000'000'000,
      fmt::format("--labels-start-at is in [-{}, 1000000000], not {}.", kMaxClasses, first_label));
  ImportOptions options{.output = words("output"),
                        .name = words("name"),
                        .classes = classes,
                        .source = words("source"),
                        .license = words("license"),
                        .first_label = first_label,
                        .missing = choice_of<MissingValues>("missing", words("missing"),
                                                            {{"refuse", MissingValues::kRefused},
                                                             {"mean", MissingValues::kMean},
                                                             {"zero", MissingValues::kZero}}),
                        .test_share = share,
                        .seed = static_cast<std::uint64_t>(seed)};
  parse_pixels(words("pixels"), options);
  if (options.name.empty()) options.name = options.output.stem();
  return options;
}

}  // namespace

Command parse_import_options(const std::vector<std::string>& arguments) {
  po::options_description options;
  for (const FormatOptions& format : format_options()) options.add(format.options);
  po::options_description common("All formats");
  add_common_options(common);
  options.add(common);
  if (asks_for_help(arguments)) {
    return ShowText{help_of("sae_dist import INPUT --output FILE [options]",
                            "Makes a data set file, whole or not at all. data/README.md has "
                            "examples.",
                            options)};
  }
  const auto values = parse_arguments(arguments, options);
  const ImportWords words(values);
  require(!words("output").empty(), "import needs --output; see --help.");
  const std::string input = input_of(words);
  check_companions(words, input);
  require(input != "hdf5" || words.has("train-images"),
          "--hdf5 needs --train-images, the name of an array; see --help.");
  const bool has_test =
      words.has("test-csv") || words.has("test-npy") || words.has("test-images") || input == "from";
  require(!has_test || !words.has("test-share"),
          "--test-share draws a test split, so it does not go with one that is given.");
  require(words.has("test-share") || !words.has("seed"), "--seed is that of --test-share.");

  ImportCommandOptions result;
  result.import = import_options_of(words);
  result.force = words.get<bool>("force");
  if (input == "csv") {
    result.csv = {.train = words("csv"),
                  .test = words("test-csv"),
                  .label = words("label"),
                  .ignore = words.list("ignore"),
                  .separator = separator_of(words("separator")),
                  .header = choice_of<CsvFiles::Header>("header", words("header"),
                                                        {{"auto", CsvFiles::Header::kAuto},
                                                         {"yes", CsvFiles::Header::kYes},
                                                         {"no", CsvFiles::Header::kNo}})};
  } else if (input == "npy") {
    result.npy = {words("npy"), words("labels"), words("test-npy"), words("test-labels")};
  } else if (input == "hdf5") {
    result.arrays = {words("hdf5"),        words("train-images"), words("train-labels"),
                     words("test-images"), words("test-labels"),  words.get<bool>("transpose")};
  } else {
    result.from = words("from");
    result.set = words("set");
    result.idx = {words("train-images"), words("train-labels"), words("test-images"),
                  words("test-labels")};
  }
  return result;
}

}  // namespace sae

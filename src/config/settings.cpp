#include "sae/config/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "checks.hpp"
#include "setting_kinds.hpp"

namespace sae {
namespace {

const Bounds kNotNegative{.least = 0};
const Bounds kShare{.least = 0, .limit = 1};

const Choices<std::optional<Precision>> kPrecisions = {
    {"auto", std::nullopt},
    {name_of(Precision::kFloat32), Precision::kFloat32},
    {name_of(Precision::kBfloat16), Precision::kBfloat16}};

/// Those of `choices`, and "auto" for a value that is not decided.
template <typename Value>
Choices<std::optional<Value>> with_auto(const Choices<Value>& choices, std::string description) {
  Choices<std::optional<Value>> all = {{"auto", std::nullopt, std::move(description)}};
  for (const auto& choice : choices) all.push_back({choice.name, choice.value, choice.description});
  return all;
}

/// Units of each layer, in full: their number is that of the layers.
Setting units_setting() {
  Setting units = list_setting("units", {.least = 1, .limit = 1000000, .limit_allowed = true},
                               "units of each hidden layer", &LayerSettings::units);
  units.write = [](const Configuration& c) {
    std::vector<Index> numbers;
    for (const LayerSettings& layer : c.layers) numbers.push_back(layer.units);
    return fmt::format("{}", fmt::join(numbers, ","));
  };
  return units;
}

Setting seed_setting() {
  return {
      .name = "seed",
      .placeholder = "N",
      .help = "of weights, order and noise",
      .read = [](Configuration& c, const std::string& text) { c.seed = parse_seed("seed", text); },
      .write = [](const Configuration& c) { return fmt::format("{}", c.seed); }};
}

Setting threads_setting() {
  return {.name = "threads",
          .placeholder = "auto|T",
          .help =
              "of each rank; auto: the cores it is bound to, divided among the ranks that share "
              "them",
          .read =
              [](Configuration& c, const std::string& text) {
                c.threads = text == "auto" ? 0 : parse_integer("threads", text);
                const bool possible = text == "auto" || (c.threads >= 1 && c.threads <= 1024);
                require(possible, fmt::format("--threads is auto or a number from 1 to 1024, not "
                                              "'{}'.",
                                              text));
              },
          .write =
              [](const Configuration& c) {
                return c.threads == 0 ? "auto" : fmt::format("{}", c.threads);
              }};
}

std::vector<Setting> make_settings() {
  using C = Configuration;
  using P = LayerSettings;
  std::vector<Setting> all;
  const auto group = [&all](std::string_view heading, std::vector<Setting> settings) {
    for (Setting& setting : settings) {
      setting.group = heading;
      all.push_back(std::move(setting));
    }
  };
  group("Data",
        {with(text_setting("data", "FILE",
                           "data set; else $SAE_DATA, data/mnist.h5, the installed one", &C::data),
              OnResume::kFree),
         with(choice_setting("data-access",
                             Choices<DataAccess>{{"scatter", DataAccess::kScatter},
                                                 {"shared", DataAccess::kShared}},
                             "rank 0 reads and sends, or every rank reads its own part",
                             &C::data_access),
              OnResume::kFree),
         number_or_auto_setting(
             "validation-size", "N", kNotNegative,
             "training samples held out to choose the best model; auto: a tenth, at most 5000",
             &C::validation_size),
         since(choice_setting(
                   "validation",
                   with_auto(
                       Choices<ValidationChoice>{
                           {"random", ValidationChoice::kRandom,
                            "drawn by the seed, from each class in proportion to its samples"},
                           {"first", ValidationChoice::kFirst, "the first of the file"}},
                       "random"),
                   "how they are chosen", &C::validation),
               "first"),
         since(number_setting("labelled", "N", kNotNegative,
                              "use only N labels, drawn by the seed, as evenly over the classes "
                              "as possible; 0: all",
                              &C::labelled),
               "0"),
         since(choice_setting("scale",
                              with_auto(scaling_kinds(),
                                        "none for bytes and values within [0, 1], else standard"),
                              "how values become inputs of the network, by feature, fitted to the "
                              "training samples and kept in the model",
                              &C::scale),
               "none")});
  group(
      "Network",
      {units_setting(), seed_setting(),
       since(number_or_auto_setting(
                 "initial-scale", "S", kNotNegative,
                 "initial weights are uniform within +-S sqrt(6 / (inputs + outputs)) "
                 "of their layer; smaller values give smoother filters; auto: 4 for "
                 "sigmoid, 1 for tanh, 1.41 for relu and gelu",
                 &C::initial_scale),
             "4"),
       since(choices_setting("activation", activation_kinds(),
                             "of the hidden units; one for all layers, or a list with one for each",
                             &P::activation),
             "sigmoid"),
       since(choice_setting("visible",
                            with_auto(visible_kinds(), "bernoulli if all inputs are within [0, 1]"),
                            "how inputs are reconstructed, and the loss", &C::visible),
             "bernoulli"),
       since(choice_setting(
                 "decoder",
                 Choices<Decoder>{{"tied", Decoder::kTied, "those of the encoder"},
                                  {"free", Decoder::kFree, "its own, only with --finetune joint"}},
                 "weights of the decoder", &C::decoder),
             "tied"),
       since(choice_setting("normalization", normalization_kinds(),
                            "normalize the input of each layer's units, also in the decoder",
                            &C::normalization),
             "none"),
       since(flag_setting(
                 "lateral",
                 "give the decoder the noisy values of each layer as well (a ladder network)",
                 &C::lateral),
             "false"),
       with(text_setting("initial-model", "FILE",
                         "start from the layers and the scaling of this model", &C::initial_model),
            OnResume::kFree)});
  group(
      "Pretraining (one value per hidden layer, or one for all)",
      {since(choice_setting("noise", noise_kinds(), "kind of noise", &C::noise), "masking"),
       list_setting("corruption", kShare, "level of the noise, in [0, 1); see --noise",
                    &P::corruption),
       choice_setting("corruption-at",
                      Choices<CorruptionAt>{
                          {"layer", CorruptionAt::kLayer, "corrupt the layer's input"},
                          {"image", CorruptionAt::kImage, "corrupt the pixels and encode them"}},
                      "where the noise is added", &C::corruption_at),
       with(list_setting("pretrain-epochs", kNotNegative, "epochs", &P::epochs),
            OnResume::kMoreEpochs),
       list_setting("pretrain-learning-rate", kNotNegative, "learning rate at the start",
                    &P::learning_rate),
       choice_setting("pretrain-schedule", schedule_kinds(), "how it falls", &C::pretrain_schedule),
       following(list_setting("pretrain-weight-decay", kNotNegative,
                              "replaces --weight-decay; larger values give smoother filters",
                              &P::weight_decay),
                 "weight-decay")});
  group(
      "Fine-tuning",
      {since(choice_setting(
                 "finetune",
                 Choices<Finetune>{
                     {"auto", Finetune::kAuto, "classify where there are labels, else reconstruct"},
                     {"classify", Finetune::kClassify, "a softmax on top of the stack"},
                     {"reconstruct", Finetune::kReconstruct,
                      "the deep autoencoder, through all layers and back"},
                     {"joint", Finetune::kJoint,
                      "both at once; samples without a label only reconstruct"},
                     {"none", Finetune::kNone}},
                 "what is trained end to end", &C::finetune),
             "classify"),
       with(number_setting("finetune-epochs", "N", kNotNegative, "epochs", &C::finetune_epochs),
            OnResume::kMoreEpochs),
       number_or_auto_setting(
           "finetune-learning-rate", "RATE", kNotNegative,
           "learning rate at the start; auto: 0.6 to classify, 0.05 to reconstruct, "
           "0.001 for Adam",
           &C::finetune_learning_rate),
       choice_setting("finetune-schedule", schedule_kinds(), "how it falls", &C::finetune_schedule),
       since(choice_setting("finetune-noise", noise_kinds(),
                            "noise on the inputs and on each layer before its activation, with "
                            "classify or joint",
                            &C::finetune_noise),
             "gaussian"),
       since(number_setting("finetune-corruption", "LEVEL", kNotNegative, "level of that noise",
                            &C::finetune_corruption),
             "0"),
       since(number_setting("dropout", "P", kShare,
                            "probability that a hidden unit is set to 0, with classify or joint",
                            &C::dropout),
             "0"),
       since(number_setting("label-smoothing", "S", kShare,
                            "share of each label that is spread over all classes",
                            &C::label_smoothing),
             "0"),
       since(number_setting("reconstruction-weight", "W", {.least = 0},
                            "joint: weight of the squared reconstruction error, averaged over "
                            "features",
                            &C::reconstruction_weight),
             "2000"),
       since(number_or_auto_setting("labelled-batch", "N", kNotNegative,
                                    "joint: labelled samples added to each minibatch; auto: if "
                                    "some samples have no label, "
                                    "as many as there are labels, at most 100",
                                    &C::labelled_batch),
             "auto"),
       with(since(number_setting("early-stop", "N", kNotNegative,
                                 "stop after N epochs without a better validation figure; 0: never",
                                 &C::early_stop),
                  "0"),
            OnResume::kFree)});
  using D = Distortion;
  group("Images (distorted anew for every update, each by its own random amount)",
        {since(number_setting("rotate", "DEGREES", {.least = 0, .limit = 180},
                              "rotate by at most this angle, either way", &C::distortion,
                              &D::rotation),
               "0"),
         since(number_setting("zoom", "SHARE", kShare,
                              "grow or shrink width and height by at most this share",
                              &C::distortion, &D::zoom),
               "0"),
         since(number_setting(
                   "shear", "SHARE", {.least = 0, .limit = 10},
                   "move a row by at most this many columns per row of distance from the middle",
                   &C::distortion, &D::shear),
               "0"),
         since(number_setting("shift", "PIXELS", kNotNegative,
                              "move by at most this many pixels in each direction", &C::distortion,
                              &D::shift),
               "0"),
         since(number_setting("elastic", "FACTOR", kNotNegative,
                              "elastic distortion (Simard et al., 2003): pixels move by a smoothed "
                              "random field times this; 36 suits 28 by 28 pixels",
                              &C::distortion, &D::elastic),
               "0"),
         since(number_setting("elastic-sigma", "PIXELS", {.least = 0.1},
                              "standard deviation of the Gaussian that smooths it", &C::distortion,
                              &D::elastic_sigma),
               "5")});
  group("Optimizer (of pretraining and fine-tuning)",
        {number_setting("batch-size", "N", {.least = 1},
                        "samples per update, over all ranks together", &C::batch_size),
         since(choice_setting("optimizer", optimizer_kinds(), "how gradients become updates",
                              &C::optimizer),
               "sgd"),
         number_setting("momentum", "M", kShare, "in [0, 1)", &C::momentum),
         number_setting("weight-decay", "D", kNotNegative,
                        "of an L2 penalty D/2 |w|^2 on the weights", &C::weight_decay),
         since(number_setting("clip-gradient-norm", "C", kNotNegative,
                              "scale longer gradients down to this norm; 0: no limit",
                              &C::clip_gradient_norm),
               "0"),
         since(number_setting("max-norm", "C", kNotNegative,
                              "longest incoming weights of a hidden unit, such as 3; 0: no limit",
                              &C::max_norm),
               "0"),
         since(number_setting("weight-average", "D", kShare,
                              "evaluate and save a moving average of the parameters with this "
                              "decay, such as 0.999; 0: none",
                              &C::weight_average),
               "0"),
         since(number_setting("schedule-start", "S", kShare,
                              "share of a stage after which the learning rate begins to fall",
                              &C::schedule_start),
               "0"),
         number_setting("learning-rate-decay", "F",
                        {.least = 1e-6, .limit = 1, .limit_allowed = true},
                        "factor per epoch of exponential schedules", &C::learning_rate_decay),
         number_setting("warmup-epochs", "N", kNotNegative,
                        "epochs over which the rate first rises from 0", &C::warmup_epochs),
         flag_setting("reproducible", "the same bits on 1, 2, 4, 8 or 16 ranks; slower",
                      &C::reproducible)});
  group("Speed",
        {since(choice_setting("precision", kPrecisions,
                              "of matrix products; auto: bfloat16 if all processors have it",
                              &C::precision),
               "float32"),
         since(choice_setting("gradient-precision", kPrecisions,
                              "of the gradients that ranks exchange; auto: as --precision",
                              &C::gradient_precision),
               "float32"),
         with(choice_setting(
                  "averaging",
                  Choices<Averaging>{{"auto", Averaging::kAuto},
                                     {"flat", Averaging::kFlat, "each rank has its own copy"},
                                     {"node", Averaging::kNode, "the ranks of a node share one"},
                                     {"local", Averaging::kLocal,
                                      "groups of ranks train by themselves for --local-steps, "
                                      "then average their models; for slow networks; "
                                      "--batch-size is that of each group"}},
                  "copies of the model", &C::averaging),
              OnResume::kFree),
         since(number_setting("local-steps", "H", {.least = 1},
                              "local: updates between two averages", &C::local_steps),
               "32"),
         since(number_or_auto_setting("local-groups", "N", {.least = 1},
                                      "local: the result depends on it; auto: one for each host",
                                      &C::local_groups),
               "auto"),
         since(number_setting("outer-rate", "RATE", kNotNegative,
                              "local: share of the mean progress that the models make",
                              &C::outer_learning_rate),
               "1"),
         since(number_setting("outer-momentum", "M", kShare,
                              "local: Nesterov momentum of the averages", &C::outer_momentum),
               "0.5"),
         with(since(choice_setting("cache-codes",
                                   Choices<CacheCodes>{{"auto", CacheCodes::kAuto},
                                                       {"on", CacheCodes::kOn},
                                                       {"off", CacheCodes::kOff}},
                                   "keep the codes of finished layers while the next is "
                                   "pretrained; auto: if they fit",
                                   &C::cache_codes),
                    "off"),
              OnResume::kFree),
         with(choice_setting("data-placement",
                             Choices<DataPlacement>{
                                 {"auto", DataPlacement::kAuto},
                                 {"replicated", DataPlacement::kReplicated, "all on each node"},
                                 {"sharded", DataPlacement::kSharded, "a part on each rank"}},
                             "training samples in memory; auto: replicated if they fit",
                             &C::data_placement),
              OnResume::kFree),
         with(threads_setting(), OnResume::kFree)});
  return all;
}

/// As many layers as there are units; where one number of units serves all, as the longest of the
/// other lists has values.
std::size_t count_layers(const SettingTexts& texts) {
  const auto count = [&texts](const Setting& setting) {
    const auto given = texts.find(setting.name);
    return given == texts.end() ? 0 : setting.count(given->second.text);
  };
  const std::size_t units = count(setting("units"));
  if (units == 0) return Configuration().layers.size();
  std::size_t longest = units;
  for (const Setting& setting : settings()) {
    if (setting.is_list && units == 1) longest = std::max(longest, count(setting));
  }
  return longest;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = make_settings();
  return all;
}

const Setting* find_setting(const std::string& name) {
  const auto found = std::ranges::find(settings(), name, &Setting::name);
  return found == settings().end() ? nullptr : &*found;
}

const Setting& setting(const std::string& name) {
  const Setting* const found = find_setting(name);
  if (found == nullptr) throw std::out_of_range("There is no setting " + name + ".");
  return *found;
}

Configuration configuration_of(const SettingTexts& texts) {
  Configuration c;
  c.layers.assign(count_layers(texts), {});
  for (const auto& [name, given] : texts) {
    try {
      setting(name).read(c, given.text);
    } catch (const UsageError& error) {
      throw UsageError(given.where + error.what());
    }
  }
  check_together(c);
  return c;
}

}  // namespace sae

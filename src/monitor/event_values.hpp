#pragma once

#include <span>
#include <string>

#include "sae/monitor/grey_picture.hpp"

namespace sae {

namespace tensorboard {
class Summary;
}

// What TensorBoard shows, each added to a summary under a tag.

/// Nothing if the value is not finite.
void add_scalar(tensorboard::Summary& summary, const std::string& tag, double value);

/// How values are distributed, in 64 buckets of one width. Nothing if there are none, or one that
/// is not finite.
void add_histogram(tensorboard::Summary& summary, const std::string& tag,
                   std::span<const float> values);

/// `png` are the bytes of its file.
void add_image(tensorboard::Summary& summary, const std::string& tag, const GreyPicture& picture,
               const std::string& png);

/// In Markdown.
void add_text(tensorboard::Summary& summary, const std::string& tag, const std::string& text);

}  // namespace sae

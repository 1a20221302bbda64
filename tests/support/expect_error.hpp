#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace sae {

/// Expects that `action` throws a Kind whose sentence contains all `parts` and ends with a
/// full stop.
template <typename Kind, typename Action>
void expect_error(Action action, std::initializer_list<std::string> parts) {
  try {
    action();
  } catch (const Kind& error) {
    const std::string sentence = error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(sentence.find(part), std::string::npos) << "no '" << part << "' in: " << sentence;
    }
    EXPECT_TRUE(sentence.ends_with('.') && sentence.find('\n') == std::string::npos) << sentence;
    return;
  } catch (const std::exception& error) {
    FAIL() << "an error of another kind: " << error.what();
  }
  FAIL() << "no error";
}

}  // namespace sae

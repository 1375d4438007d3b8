// Whether a message says what it must.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace halftone::test {

// Not inlined: thousands of checks use it, and inlining it would cost compile time in each.
[[gnu::noinline]] inline ::testing::AssertionResult contains(const std::string& text, const std::string& fragment) {
  if (text.find(fragment) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << fragment << "' is not in: " << text;
}

// EXPECT_CONTAINS(infer(...), "a fragment of the message")
#define EXPECT_CONTAINS(text, fragment) EXPECT_TRUE(::halftone::test::contains(text, fragment))

}  // namespace halftone::test

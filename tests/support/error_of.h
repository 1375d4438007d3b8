// What wrong input is told.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "halftone/base/error.h"
#include "tests/support/contains.h"

namespace halftone::test {

// The message of the halftone::Error that `action` throws; fails the test where it throws none.
template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "an Error was expected";
  return {};
}

}  // namespace halftone::test

#include <array>
#include <string>

#include "halftone/c/guard.h"

namespace halftone::c {
namespace {

thread_local std::string last_error;
// Stands in when there is no memory for the message.
thread_local const char* shown = "";

struct StatusName {
  halftone_status status;
  const char* name;
};
constexpr std::array kNames = {
    StatusName{HALFTONE_OK, "ok"},
    StatusName{HALFTONE_INVALID_MODEL, "invalid model"},
    StatusName{HALFTONE_INVALID_ARGUMENT, "invalid argument"},
    StatusName{HALFTONE_INVALID_DATA, "invalid data"},
    StatusName{HALFTONE_UNSUPPORTED, "unsupported"},
    StatusName{HALFTONE_IO, "io"},
    StatusName{HALFTONE_NUMERIC_RANGE, "numeric range"},
    StatusName{HALFTONE_OUT_OF_MEMORY, "out of memory"},
    StatusName{HALFTONE_INTERNAL, "internal"},
};

}  // namespace

halftone_status failed(halftone_status status, std::string_view message) noexcept {
  try {
    last_error = message;
    shown = last_error.c_str();
  } catch (...) {
    shown = "out of memory";
  }
  return status;
}

halftone_status status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::InvalidModel:
      return HALFTONE_INVALID_MODEL;
    case ErrorCode::InvalidArgument:
      return HALFTONE_INVALID_ARGUMENT;
    case ErrorCode::InvalidData:
      return HALFTONE_INVALID_DATA;
    case ErrorCode::Unsupported:
      return HALFTONE_UNSUPPORTED;
    case ErrorCode::Io:
      return HALFTONE_IO;
    case ErrorCode::NumericRange:
      return HALFTONE_NUMERIC_RANGE;
  }
  return HALFTONE_INTERNAL;
}

}  // namespace halftone::c

const char* halftone_version(void) { return HALFTONE_VERSION; }

const char* halftone_status_name(int status) {
  for (const auto& entry : halftone::c::kNames) {
    if (entry.status == status) return entry.name;
  }
  return "unknown status";
}

const char* halftone_last_error(void) { return halftone::c::shown; }

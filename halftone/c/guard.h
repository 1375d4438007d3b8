// Exceptions become statuses here; none crosses into C.
#pragma once

#include <exception>
#include <new>
#include <string_view>

#include "halftone/base/error.h"
#include "halftone/c/halftone.h"

namespace halftone::c {

// Remembers the message for halftone_last_error.
halftone_status failed(halftone_status status, std::string_view message) noexcept;

halftone_status status_of(ErrorCode code) noexcept;

template <typename F>
halftone_status guarded(const F& f) noexcept {
  try {
    f();
    return HALFTONE_OK;
  } catch (const Error& error) {
    return failed(status_of(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return failed(HALFTONE_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return failed(HALFTONE_INTERNAL, error.what());
  } catch (...) {
    return failed(HALFTONE_INTERNAL, "an unknown exception");
  }
}

// The argument, if it is not null. Errors: Error{InvalidArgument} naming it.
template <typename T>
T* required(T* argument, std::string_view name) {
  if (argument == nullptr) fail(ErrorCode::InvalidArgument, name, "must not be null");
  return argument;
}

}  // namespace halftone::c

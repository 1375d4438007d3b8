# libtorch, for the room train alone: target halftone_torch, or a line that says what is missing.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  message(STATUS "built without training: libtorch 1.13's headers are C++20 for GCC alone")
  return()
endif()
find_package(Torch QUIET)
if(NOT Torch_FOUND)
  message(STATUS "libtorch was not found: built without training (Debian: libtorch-dev)")
  return()
endif()
add_library(halftone_torch INTERFACE)
target_link_libraries(halftone_torch INTERFACE ${TORCH_LIBRARIES})
# Its headers are not written for this project's warnings.
target_include_directories(halftone_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})

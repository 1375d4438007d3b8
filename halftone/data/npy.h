// NumPy's array files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "halftone/tensor/tensor.h"

namespace halftone::data {

constexpr std::string_view kNpyMagic = "\x93NUMPY";

// What stands before an array's elements. Source: NumPy's format description, "numpy.lib.format", versions 1 to 3.
struct NpyHeader {
  DType dtype = DType::Undefined;
  Shape shape;
  bool fortran_order = false;  // the first dimension is the fastest
  size_t data_offset = 0;      // bytes before the elements

  size_t data_bytes() const;
  // True where both orders are the same bytes.
  bool is_row_major() const;
};

// Little-endian floats of 16, 32 and 64 bits, integers of 8 to 64 bits, bool. Needs the beginning of the file: at
// least npy_header_bytes. Errors: Error{InvalidData} for damage, Error{Unsupported} for other element types (objects,
// structures, big-endian), both naming `where`.
NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& where);

// How many bytes the header takes, from the first twelve of the file. Errors: Error{InvalidData}; no more than 64 KiB.
size_t npy_header_bytes(std::span<const std::byte> first_twelve, const std::string& where);

// The bytes of the elements of `file`, in the order the header names. Errors: Error{InvalidData} when some are missing.
std::span<const std::byte> npy_elements(const NpyHeader& header, std::span<const std::byte> file,
                                        const std::string& where);

// The array of a .npy file, memory-mapped where its order is row-major. Errors: Error{Io, InvalidData, Unsupported}.
Tensor load_npy(const std::filesystem::path& path);

// Writes version 1.0, row-major; whole or not at all. BFloat16 becomes float, as numpy has no such type.
// Errors: Error{Io}; Error{Unsupported} for strings, sub-byte types and other types that numpy lacks.
void save_npy(const std::filesystem::path& path, const Tensor& tensor);

}  // namespace halftone::data

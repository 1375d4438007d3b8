// The list of images with their classes. Internal to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::data {

struct LabelledFile {
  std::string name;
  std::optional<int64_t> label;
  int64_t line = 0;  // in the list, from 1
};

// An integer >= 0 with nothing around it but blanks; nullopt otherwise.
std::optional<int64_t> parse_label(std::string_view text);

// Rows of "file,label"; a first row whose second field is the word "label" is a heading; empty lines are passed over; a
// file name may stand in double quotes (a quote inside is doubled). Errors: Error{InvalidData} at "where:line".
std::vector<LabelledFile> parse_labels_csv(std::string_view text, const std::string& where);

}  // namespace halftone::data

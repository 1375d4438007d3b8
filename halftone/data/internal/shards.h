// Which files a path to WebDataset shards means. Internal to the room.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "halftone/data/sources/source.h"

namespace halftone::data {

bool is_shard_name(const std::string& name);  // .tar, .tar.gz, .tgz

// "train-{00..09}.tar" -> the ten names, in order; the text itself where it has no braces. Numbers keep the width of
// the first. Errors: Error{InvalidArgument} for anything else in braces, or more than 100,000 shards.
std::vector<std::string> expand_braces(const std::string& pattern);

// The shards in order, none where the location is no WebDataset.
std::vector<std::filesystem::path> find_shards(const Location& location);

}  // namespace halftone::data

#include "halftone/zoo/network.h"

#include "halftone/quant/step_words.h"

namespace halftone::zoo {

#define HT_NETWORK(name, words, summary, source) Graph network_##name(StepWords& words_of_request);
#include "halftone/zoo/networks.def"
#undef HT_NETWORK

namespace {

constexpr NetworkInfo kNetworks[] = {
#define HT_NETWORK(name, words, summary, source) {#name, words, summary, source},
#include "halftone/zoo/networks.def"
#undef HT_NETWORK
};

using Make = Graph (*)(StepWords&);
constexpr Make kMakers[] = {
#define HT_NETWORK(name, words, summary, source) network_##name,
#include "halftone/zoo/networks.def"
#undef HT_NETWORK
};

size_t find_network(std::string_view name) { return position_in(kNetworks, name, "networks"); }

}  // namespace

std::span<const NetworkInfo> all_networks() { return kNetworks; }

StepRequest parse_network(std::string_view text) {
  StepRequest request = parse_step(text, "network");
  find_network(request.name);
  return request;
}

Graph make_network(const StepRequest& request) {
  const size_t network = find_network(request.name);
  StepWords words(request, "network");
  Graph graph = kMakers[network](words);
  graph.name = request.name;
  return graph;
}

}  // namespace halftone::zoo

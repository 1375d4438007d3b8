#include <halftone/eval/inputs.h>
#include <halftone/runtime/session.h>
#include <algorithm>
#include <iostream>
using namespace halftone;
int main(int, char** argv) try {
  const Session session = Session::load(argv[1]);
  auto metadata = session.metadata();
  const auto recipe = data::find_preprocess(argv[1], metadata["halftone.preprocess"]);
  data::Loader loader(data::open_dataset(argv[2]), recipe, eval::input_ports(session));
  while (const auto batch = loader.next()) {
    const auto scores = to_vector<float>(session.run(batch->inputs).begin()->second);
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    std::cout << batch->ids[0] << ": class " << best << "\n";
  }
} catch (const Error& e) {
  return std::cerr << e.what() << "\n", 2;
}

#include "model/text/clean.hpp"
#include "model/text/tokenizer.hpp"
#include "parity/kinds.hpp"

namespace wan::parity {

void run_tokenizer(const Case& which, Report& report) {
  const Tokenizer tokenizer =
      Tokenizer::from_sentencepiece(which.file(which.description.at("model").as_string()));
  int number = 0;
  for (const Json& one : which.description.at("cases").as_array()) {
    const std::string name = std::to_string(number++);
    std::vector<std::int32_t> ids;
    for (const Json& id : one.at("ids").as_array()) ids.push_back(static_cast<std::int32_t>(id.as_integer()));
    const std::string clean = clean_prompt(one.at("text").as_string());
    report.exact(name + ".clean", clean == one.at("clean").as_string());
    report.exact(name + ".ids", tokenizer.ids(clean) == ids);
  }
}

}  // namespace wan::parity

#include "train/run_state.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace wan {

Json to_json(const RunState& state) {
  Json json;
  json.set("step", state.step);
  json.set("updates", state.updates);
  json.set("skipped_in_row", state.skipped_in_row);
  json.set("skipped", state.skipped);
  json.set("loader", to_json(state.loader));
  return json;
}

RunState run_state_from_json(const Json& json, const std::string& source) {
  const auto member = [&](const char* key) {
    const Json* value = json.find(key);
    if (value == nullptr || !value->is_integer() || value->as_integer() < 0) {
      throw DataError(source, cat("'", key, "' must be an integer >= 0"));
    }
    return value->as_integer();
  };
  RunState state{member("step"), member("updates"), member("skipped_in_row"), member("skipped"), {}};
  const Json* loader = json.find("loader");
  if (loader == nullptr) throw DataError(source, "'loader' is missing");
  state.loader = loader_state_from_json(*loader, source);
  return state;
}

}  // namespace wan

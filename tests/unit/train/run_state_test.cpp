#include "train/run_state.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.hpp"

namespace wan {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

Json good() {
  return to_json(RunState{7, 5, 1, 2, {3, 4, 56}});
}

TEST(run_state, comes_back_through_its_text) {
  for (const RunState& state : {RunState(), RunState{7, 5, 1, 2, {3, 4, 56}},
                                RunState{largest, largest, largest, largest, {largest, largest, largest}}}) {
    const RunState found = run_state_from_json(Json::parse(to_json(state).dump(2), "text"), "state.json");
    EXPECT_EQ(found.step, state.step);
    EXPECT_EQ(found.updates, state.updates);
    EXPECT_EQ(found.skipped_in_row, state.skipped_in_row);
    EXPECT_EQ(found.skipped, state.skipped);
    EXPECT_EQ(found.loader, state.loader);
  }
}

void expect_refused(const Json& json, const std::string& member) {
  try {
    (void)run_state_from_json(json, "place/state.json");
    FAIL() << "accepted " << json.dump();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("place/state.json"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(member), std::string::npos) << error.what();
  }
}

// Every member, of the state and of its loader: missing, negative, of another type.
TEST(run_state, names_the_member_that_is_wrong) {
  const std::vector<Json> hostile = {Json(-1),   Json(1.5), Json(1e300),         Json("7"),
                                     Json(true), Json(),    Json(Json::Array{}), Json(Json::Object{})};
  for (const char* key : {"step", "updates", "skipped_in_row", "skipped"}) {
    for (const Json& value : hostile) expect_refused(good().set(key, value), key);
    Json::Object members = good().as_object();
    members.erase(
        std::remove_if(members.begin(), members.end(), [&](const auto& m) { return m.first == key; }),
        members.end());
    expect_refused(members, key);
  }
  for (const char* key : {"epoch", "pack", "samples"}) {
    for (const Json& value : hostile) {
      Json loader = good().at("loader");
      expect_refused(good().set("loader", loader.set(key, value)), key);
    }
  }
  for (const Json& value : hostile) expect_refused(good().set("loader", value), "");
  for (const Json& value : hostile) expect_refused(value, "");
}

}  // namespace
}  // namespace wan

#include "weights/model_folder.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

const std::string id = "Wan-AI/Wan2.1-T2V-1.3B-Diffusers";

class ModelFolderTest : public testing::Test {
 protected:
  [[nodiscard]] ModelPlaces places() const { return {folder_ / "models", folder_ / "hub"}; }

  void add_snapshot(const std::string& reference) {
    make_folders(repository() + "/refs");
    make_folders(repository() + "/snapshots/0fad");
    write_file_atomically(repository() + "/refs/main", reference);
  }
  [[nodiscard]] std::string repository() const {
    return folder_ / "hub/models--Wan-AI--Wan2.1-T2V-1.3B-Diffusers";
  }

  test::TemporaryFolder folder_;
};

TEST_F(ModelFolderTest, a_folder_is_itself) {
  EXPECT_EQ(find_model_folder(folder_.path(), places()), folder_.path());
}

TEST_F(ModelFolderTest, an_id_is_looked_up_in_the_models_then_in_the_cache) {
  add_snapshot("0fad\n");
  EXPECT_EQ(find_model_folder(id, places()), repository() + "/snapshots/0fad");
  EXPECT_EQ(find_model_folder(id, {"", folder_ / "hub"}), repository() + "/snapshots/0fad");
  make_folders(folder_ / ("models/" + id));
  EXPECT_EQ(find_model_folder(id, places()), folder_ / ("models/" + id));
}

TEST_F(ModelFolderTest, what_is_nowhere_says_what_to_run) {
  add_snapshot("beef");
  try {
    (void)find_model_folder(id, places());
    FAIL();
  } catch (const NoInputError& error) {
    EXPECT_EQ(error.code(), ExitCode::no_input);
    EXPECT_NE(
        std::string(error.what()).find("hf download " + id + " --local-dir " + (folder_ / "models/") + id),
        std::string::npos)
        << error.what();
  }
}

TEST_F(ModelFolderTest, what_is_no_id_is_refused_without_looking) {
  for (const std::string name : {"", "missing", "a/b/c", "../x", "a/..", "/nowhere", "a b/c", "a/"}) {
    EXPECT_THROW((void)find_model_folder(name, places()), NoInputError) << name;
  }
}

TEST_F(ModelFolderTest, the_environment_names_the_places) {
  ::setenv("WAN_MODELS", "/m", 1);
  ::setenv("HF_HUB_CACHE", "/c", 1);
  ::setenv("HF_HOME", "/h", 1);
  ::setenv("XDG_CACHE_HOME", "/x", 1);
  EXPECT_EQ(ModelPlaces::from_environment().models, "/m");
  EXPECT_EQ(ModelPlaces::from_environment().hub, "/c");
  ::unsetenv("HF_HUB_CACHE");
  EXPECT_EQ(ModelPlaces::from_environment().hub, "/h/hub");
  ::unsetenv("HF_HOME");
  EXPECT_EQ(ModelPlaces::from_environment().hub, "/x/huggingface/hub");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("WAN_MODELS");
  EXPECT_EQ(ModelPlaces::from_environment().models, "");
  EXPECT_NE(ModelPlaces::from_environment().hub.find("/.cache/huggingface/hub"), std::string::npos);
}

}  // namespace
}  // namespace wan

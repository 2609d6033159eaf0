#include "train/metrics_log.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

/// A run's folder, into which each Log is one start of the job.
class metrics_log : public ::testing::Test {
 protected:
  [[nodiscard]] MetricsLog start(std::int64_t last_step) const {
    return {folder_.path(), folder_ / "tensorboard", last_step};
  }
  /// Steps first .. last, with a validation after every third.
  static void add_steps(MetricsLog& log, std::int64_t first, std::int64_t last) {
    for (std::int64_t step = first; step <= last; ++step) {
      Json line;
      line.set("step", step).set("loss", 1.0 / static_cast<double>(step)).set("note", "no \"number\"\n");
      log.add("train", line);
      if (step % 3 == 0) log.add("validation", Json().set("step", step).set("loss", 0.5));
    }
  }
  [[nodiscard]] std::string text() const { return read_file(path()); }
  [[nodiscard]] std::string path() const { return folder_ / "metrics.jsonl"; }

  test::TemporaryFolder folder_;
};

TEST_F(metrics_log, is_one_object_a_line) {
  MetricsLog log = start(0);
  add_steps(log, 1, 4);
  const std::vector<std::string> lines = split(text(), '\n');
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(lines.back(), "");
  const Json third = Json::parse(lines[2], "line");
  EXPECT_EQ(third.at("kind").as_string(), "train");
  EXPECT_EQ(third.at("step").as_integer(), 3);
  EXPECT_EQ(third.at("loss").as_number(), 1.0 / 3.0);
  EXPECT_EQ(Json::parse(lines[3], "line").at("kind").as_string(), "validation");
}

// The run stopped somewhere after its last checkpoint, at step 5, and its last write ended anywhere: the log
// goes on as if it had never stopped.
TEST_F(metrics_log, a_resumed_run_leaves_what_an_uninterrupted_one_leaves) {
  {
    MetricsLog log = start(0);
    add_steps(log, 1, 8);
  }
  const std::string whole = text();
  const std::size_t enough = whole.find("{\"kind\":\"train\",\"step\":6");
  ASSERT_NE(enough, std::string::npos);
  for (std::size_t cut = enough - 1; cut <= whole.size(); ++cut) {
    // Each start syncs to the disk: around the ends of lines every place is tried, elsewhere some.
    if (cut % 13 != 0 && whole.substr(cut - 2, 4).find('\n') == std::string::npos) continue;
    std::ofstream(path()) << whole.substr(0, cut);
    {
      MetricsLog log = start(5);
      add_steps(log, 6, 8);
    }
    ASSERT_EQ(text(), whole) << "cut after " << cut << " of " << whole.size() << " bytes";
  }
}

TEST_F(metrics_log, lines_that_nobody_can_read_are_dropped) {
  const std::string good = "{\"kind\":\"train\",\"step\":1,\"loss\":1}\n";
  const std::string null_bytes(40, '\0');
  for (const std::string& bad :
       {std::string("garbage\n"), std::string("[1]\n"), std::string("{\"kind\":\"train\"}\n"),
        std::string("{\"kind\":\"train\",\"step\":\"1\"}\n"),
        std::string("{\"kind\":\"train\",\"step\":-4}\n"), std::string("\n\n"), null_bytes, null_bytes + "\n",
        std::string(100000, '[') + "\n"}) {
    write_file_atomically(path(), good + bad + good);
    {
      MetricsLog log = start(1);
      log.add("train", Json().set("step", 2));
    }
    // What follows without an end of line is part of the bad line.
    const std::string kept = bad.back() == '\n' ? good + good : good;
    EXPECT_EQ(text(), kept + "{\"kind\":\"train\",\"step\":2}\n") << bad.substr(0, 40);
  }
}

TEST_F(metrics_log, a_fresh_start_empties_an_old_log) {
  {
    MetricsLog log = start(0);
    add_steps(log, 1, 8);
  }
  MetricsLog log = start(0);
  EXPECT_EQ(text(), "");
}

TEST_F(metrics_log, a_folder_that_cannot_be_written_is_a_create_error) {
  EXPECT_THROW(MetricsLog("/proc/nowhere", folder_ / "tensorboard", 0), CreateError);
  EXPECT_THROW(MetricsLog(folder_.path(), "/proc/nowhere", 0), CreateError);
}

}  // namespace
}  // namespace wan

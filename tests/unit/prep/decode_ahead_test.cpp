#include "prep/decode_ahead.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"
#include "support/prep_runs.hpp"
#include "support/temporary_folder.hpp"

namespace wan {
namespace {

Image grey(std::int64_t side) {
  return {side, side};
}

TEST(FrameQueue, HoldsBackTheDecoderAndKeepsTheOrder) {
  FrameQueue queue(3 * 16 * 16 * 3);
  std::thread decoder([&] {
    for (int i = 0; i < 50; ++i) {
      Image image = grey(16);
      image.rgb[0] = static_cast<std::uint8_t>(i);
      EXPECT_TRUE(queue.push(std::move(image)));
    }
    queue.finish(1.5);
  });
  for (int i = 0; i < 50; ++i) {
    const auto frame = queue.pop();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->rgb[0], i);
  }
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.decode_s(), 1.5);
  decoder.join();
}

TEST(FrameQueue, AFrameLargerThanTheLimitPasses) {
  FrameQueue queue(1);
  EXPECT_TRUE(queue.push(grey(16)));
  queue.finish(0);
  EXPECT_TRUE(queue.pop());
  EXPECT_FALSE(queue.pop());
}

TEST(FrameQueue, AbandoningFreesAWaitingDecoder) {
  FrameQueue queue(1);
  std::thread decoder([&] {
    while (queue.push(grey(16))) {
    }
  });
  EXPECT_TRUE(queue.pop());
  queue.abandon();
  decoder.join();
}

class DecodeAheadTest : public ::testing::Test {
 protected:
  DecodeAheadTest() {
    for (int i = 0; i < 5; ++i) {
      test::DrawnVideo video;
      video.seed = static_cast<std::uint64_t>(i);
      video.frames = 12;
      test::draw_video(folder_.path(), cat(i, ".mp4"), video, "");
      SourceTask task{folder_ / cat(i, ".mp4"), 32, 32, {}};
      for (std::int64_t clip = 0; clip < 3; ++clip) task.clips.push_back({0, 3 * i + clip, {4 * clip, 4}});
      sources_.push_back(task);
    }
  }
  /// Frames per row, -1 where the clip failed.
  static std::map<std::int64_t, std::int64_t> drain(DecodeAhead& decoding) {
    std::map<std::int64_t, std::int64_t> frames;
    DecodeAhead::Stream stream;
    while (decoding.next(stream)) {
      std::int64_t count = 0;
      try {
        while (stream.frames->pop()) ++count;
      } catch (const Reject&) {
        count = -1;
      }
      EXPECT_TRUE(frames.emplace(stream.task.row, count).second);
    }
    return frames;
  }
  static PrepRules rules() {
    PrepRules out;
    out.rate = Rational{16, 1};
    return out;
  }

  test::TemporaryFolder folder_;
  std::vector<SourceTask> sources_;
};

TEST_F(DecodeAheadTest, GivesEveryClipOnceOnAnyThreads) {
  for (const int threads : {1, 2, 4}) {
    for (const std::int64_t bytes : {std::int64_t{1}, std::int64_t{1} << 20}) {
      DecodeAhead decoding(sources_, rules(), threads, bytes);
      const auto frames = drain(decoding);
      ASSERT_EQ(frames.size(), 15U);
      for (const auto& [row, count] : frames) EXPECT_EQ(count, 4) << row;
    }
  }
}

TEST_F(DecodeAheadTest, ABrokenVideoFailsItsOwnClipsOnly) {
  write_file_atomically(sources_[1].path, "no video");
  sources_[3].height = 64;               // has changed since it was planned
  sources_[4].clips[2].clip.frames = 5;  // one more than there are
  DecodeAhead decoding(sources_, rules(), 2, 1 << 20);
  for (const auto& [row, count] : drain(decoding)) {
    const bool bad = row / 3 == 1 || row / 3 == 3 || row == 14;
    EXPECT_EQ(count, bad ? -1 : 4) << row;
  }
}

TEST_F(DecodeAheadTest, EndsWhileItDecodes) {
  for (int round = 0; round < 20; ++round) {
    DecodeAhead decoding(sources_, rules(), 1 + round % 3, 1);
    DecodeAhead::Stream stream;
    for (int i = 0; i < round % 4; ++i) {
      ASSERT_TRUE(decoding.next(stream));
      if (i % 2 == 0) {
        (void)stream.frames->pop();
        stream.frames->abandon();
      } else {
        while (stream.frames->pop()) {
        }
      }
    }
  }
}

}  // namespace
}  // namespace wan

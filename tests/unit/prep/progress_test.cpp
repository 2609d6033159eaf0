#include "prep/progress.hpp"

#include <gtest/gtest.h>

namespace wan {
namespace {

TEST(Progress, ALineHasRatesOfThisRunAndCountsOfAll) {
  const EncodeCount start{10, 1, 100};
  const EncodeCount now{30, 6, 100};
  const EncodeCosts costs{10, 0.5, 4, 0.04, 20, 0.5};
  EXPECT_EQ(Progress::line(EncodeStage::clips, start, now, costs, 50),
            "prep clips=36/100 rejects=6 clips_per_s=0.500 decode_ms=50.0 vae_ms=400.0 write_ms=4.0 "
            "text_ms=25.0 eta_s=128");
  EXPECT_EQ(Progress::line(EncodeStage::clips, start, start, {}, 0),
            "prep clips=11/100 rejects=1 clips_per_s=0.000 decode_ms=0.0 vae_ms=0.0 write_ms=0.0 text_ms=0.0 "
            "eta_s=?");
  EXPECT_EQ(Progress::line(EncodeStage::texts, {10, 0, 100}, {60, 0, 100}, costs, 5),
            "prep texts=60/100 texts_per_s=10.000 text_ms=25.0 eta_s=4");
}

TEST(Progress, ABarFitsItsWidth) {
  for (std::int64_t done = 0; done <= 90; done += 9) {
    for (const int width : {40, 78, 120}) {
      const std::string bar = Progress::bar(EncodeStage::clips, {0, 0, 100}, {done, 10, 100}, 12.5, width);
      EXPECT_LE(bar.size(), static_cast<std::size_t>(std::max(width, 66)));
      EXPECT_EQ(bar.find('.') == std::string::npos || bar.find('.') > bar.find(']'), done == 90) << bar;
    }
  }
  EXPECT_NE(Progress::bar(EncodeStage::clips, {}, {50, 0, 100}, 10)
                .find(" 50 %  50/100 clips, 0 rejects, 5.00/s, 10 s left"),
            std::string::npos);
  EXPECT_NE(Progress::bar(EncodeStage::texts, {}, {50, 0, 100}, 10).find("50/100 texts, 5.00/s, 10 s left"),
            std::string::npos);
}

TEST(Progress, IsDueOnlyWhenItsIntervalIsOver) {
  const Progress rare(EncodeStage::texts, {0, 0, 3}, false, 1e6);
  EXPECT_FALSE(rare.due());
  const Progress always(EncodeStage::clips, {0, 0, 3}, false, 0);
  EXPECT_TRUE(always.due());
}

}  // namespace
}  // namespace wan

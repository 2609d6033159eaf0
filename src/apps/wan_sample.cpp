#include "apps/program.hpp"
#include "config/sample_options.hpp"
#include "sample/sample_job.hpp"

int main(int argc, char** argv) {
  return wan::run_program<wan::SampleOptions>(argc, argv, wan::parse_sample_options, wan::run_sample);
}

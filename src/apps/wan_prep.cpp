#include "apps/program.hpp"
#include "config/prep_options.hpp"
#include "prep/prep_job.hpp"

int main(int argc, char** argv) {
  return wan::run_program<wan::PrepOptions>(argc, argv, wan::parse_prep_options, wan::run_prep);
}

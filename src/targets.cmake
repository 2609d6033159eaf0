# How this project makes libraries, programs and tests.
add_library(wan_flags INTERFACE)
target_compile_options(wan_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX,C>:-Wall -Wextra -Wshadow -Wconversion>)
if(WAN_WERROR)
  target_compile_options(wan_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX,C>:-Werror>)
endif()
if(WAN_SANITIZE)
  target_compile_options(wan_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(wan_flags INTERFACE -fsanitize=address,undefined)
endif()

# wan_library(<room> SOURCES ... [PUBLIC libs] [PRIVATE libs]): one static library per folder of src, wan::<room>.
function(wan_library room)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(wan_${room} STATIC ${ARG_SOURCES})
  add_library(wan::${room} ALIAS wan_${room})
  target_include_directories(wan_${room} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(wan_${room} PUBLIC ${ARG_PUBLIC} PRIVATE wan_flags ${ARG_PRIVATE})
endfunction()

# wan_program(<name> SOURCES ... LIBS ...): an installed program.
function(wan_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE wan_flags ${ARG_LIBS})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# wan_test(<name> LABEL unit|mpi|parity|fault|slurm|gpu SOURCES ... LIBS ... [RANKS 1 2 ...] [TIMEOUT s] [GPU])
# A GoogleTest program. With RANKS it runs under mpirun once per listed count. With GPU, a CUDA build also runs it on
# a GPU, as a test labelled gpu, with the kernels that a first call takes and with those that win a race at any size; with
# that label it runs there alone.
function(wan_test name)
  cmake_parse_arguments(ARG "GPU" "LABEL;TIMEOUT" "SOURCES;LIBS;RANKS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set(environment "${WAN_TEST_ENVIRONMENT}")
  set(lock "")
  if(ARG_LABEL STREQUAL gpu)
    string(REPLACE "WAN_DEVICE=host" "WAN_DEVICE=cuda" environment "${environment}")
    set(lock RESOURCE_LOCK gpu)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE wan_flags ${ARG_LIBS} GTest::gtest)
  target_precompile_headers(${name} REUSE_FROM precompiled_for_tests)
  target_compile_definitions(${name} PRIVATE WAN_SOURCE_DIR="${PROJECT_SOURCE_DIR}" WAN_BINARY_DIR="${PROJECT_BINARY_DIR}")
  if(ARG_RANKS)
    target_link_libraries(${name} PRIVATE MPI::MPI_C wan::runtime)
    foreach(ranks ${ARG_RANKS})
      add_test(NAME ${ARG_LABEL}.${name}.np${ranks} COMMAND ${WAN_MPIRUN} -n ${ranks} $<TARGET_FILE:${name}>)
      set_tests_properties(${ARG_LABEL}.${name}.np${ranks} PROPERTIES
        LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} PROCESSORS 2 ENVIRONMENT "${environment}" ${lock})
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${ARG_LABEL}.${name} COMMAND ${name})
    set_tests_properties(${ARG_LABEL}.${name} PROPERTIES
      LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${environment}" ${lock})
  endif()
  if(WAN_CUDA AND ARG_GPU)
    add_test(NAME gpu.${name} COMMAND ${name})
    set_tests_properties(gpu.${name} PROPERTIES
      LABELS gpu TIMEOUT ${ARG_TIMEOUT} RESOURCE_LOCK gpu ENVIRONMENT "WAN_DEVICE=cuda")
    add_test(NAME gpu.${name}.raced COMMAND ${name})
    set_tests_properties(gpu.${name}.raced PROPERTIES
      LABELS gpu TIMEOUT ${ARG_TIMEOUT} RESOURCE_LOCK gpu ENVIRONMENT "WAN_DEVICE=cuda;WAN_TEST_RACE_ALL=1")
  endif()
endfunction()

# More ranks than cores, also as root: what a test machine needs of Open MPI.
set(WAN_MPIRUN ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none --allow-run-as-root)
set(WAN_TEST_ENVIRONMENT "OMPI_MCA_btl_vader_single_copy_mechanism=none" "WAN_DEVICE=host")
if(WAN_SANITIZE)
  list(APPEND WAN_TEST_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1" "UBSAN_OPTIONS=print_stacktrace=1")
endif()

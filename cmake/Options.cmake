# Flags live in two INTERFACE targets that our own code links and third-party code does not.
option(BERNSTEIN_TESTS "Build the tests" ON)
option(BERNSTEIN_BENCH "Build tools/bench" OFF)
option(BERNSTEIN_WERROR "Warnings are errors" OFF)
option(BERNSTEIN_TIDY "Run clang-tidy beside the compiler" OFF)
option(BERNSTEIN_ASSERTIONS "Check the standard library's preconditions" OFF)
option(BERNSTEIN_FAILPOINTS "Tests can have a process killed at named sites (bernstein/failpoint/failpoint.hpp)" OFF)
set(BERNSTEIN_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(BERNSTEIN_CCACHE ccache)
if(BERNSTEIN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BERNSTEIN_CCACHE})
endif()

add_library(bernstein_settings INTERFACE)
target_include_directories(bernstein_settings INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/generated)
# The same bits everywhere: g++ contracts a*b+c to a fused operation where the machine has one, unless told not to.
target_compile_options(bernstein_settings INTERFACE -ffp-contract=off)
target_compile_definitions(bernstein_settings INTERFACE $<$<BOOL:${BERNSTEIN_ASSERTIONS}>:_GLIBCXX_ASSERTIONS>)
if(BERNSTEIN_SANITIZE)
  target_compile_options(bernstein_settings INTERFACE -fsanitize=${BERNSTEIN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(bernstein_settings INTERFACE -fsanitize=${BERNSTEIN_SANITIZE})
endif()

add_library(bernstein_warnings INTERFACE)
target_compile_options(bernstein_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wextra-semi -Wimplicit-fallthrough -Wswitch-enum -Wduplicated-cond -Wlogical-op
  -Wno-missing-field-initializers  # designated initialisers name what differs; the rest has its default in the struct
  $<$<BOOL:${BERNSTEIN_WERROR}>:-Werror>)

if(BERNSTEIN_TIDY)
  find_program(BERNSTEIN_CLANG_TIDY clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${BERNSTEIN_CLANG_TIDY})
endif()

add_custom_target(format
  COMMAND git ls-files "*.cpp" "*.hpp" | xargs clang-format -i
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)

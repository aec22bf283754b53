# bernstein_room(NAME SOURCES file... [LINKS target...] [PRIVATE_LINKS target...])
# A room of the house: static library bernstein_NAME. LINKS are rooms that its headers need; PRIVATE_LINKS are libraries
# that only its .cpp files include.
function(bernstein_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(bernstein_${name} STATIC ${ROOM_SOURCES})
  target_link_libraries(bernstein_${name}
    PUBLIC ${ROOM_LINKS} bernstein_settings
    PRIVATE ${ROOM_PRIVATE_LINKS} bernstein_warnings)
endfunction()

# bernstein_test(NAME SOURCES file... LINKS target...)
# One test program of GoogleTest, each of its cases known to ctest by its own name.
function(bernstein_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_LINKS} GTest::gtest_main bernstein_settings bernstein_warnings)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src)
  gtest_discover_tests(${name} PROPERTIES TIMEOUT 120 DISCOVERY_TIMEOUT 60)
endfunction()

# bernstein_embed(OUT DIRECTORY EXTENSION NAMESPACE FUNCTION)
# Sets OUT to a generated .cpp in which FUNCTION() of NAMESPACE gives the files of DIRECTORY.
function(bernstein_embed out directory extension namespace function)
  set(cpp ${PROJECT_BINARY_DIR}/generated/${directory}.gen.cpp)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${directory}/*.${extension})
  add_custom_command(OUTPUT ${cpp}
    COMMAND ${CMAKE_COMMAND} -DIN=${PROJECT_SOURCE_DIR}/${directory} -DEXTENSION=${extension} -DNAMESPACE=${namespace}
            -DFUNCTION=${function} -DOUT=${cpp} -P ${PROJECT_SOURCE_DIR}/cmake/EmbedTexts.cmake
    DEPENDS ${files} ${PROJECT_SOURCE_DIR}/cmake/EmbedTexts.cmake
    VERBATIM)
  set(${out} ${cpp} PARENT_SCOPE)
endfunction()

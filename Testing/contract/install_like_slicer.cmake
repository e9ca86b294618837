# Copy what the extension's CMake files list to the place where Slicer would install it.
#   cmake -DSOURCE=<checkout> -DDESTINATION=<folder> -P install_like_slicer.cmake
# A stand-in for find_package(Slicer): the commands the extension calls, without a build of Slicer
# and without a compiler. Paths as in slicerMacroBuildScriptedModule and ctkMacroCompilePythonScript.

macro(project name)
  message(STATUS "EXTENSION_NAME=${name}")
endmacro()

macro(find_package name)
  set(empty "${DESTINATION}/empty.cmake")
  file(WRITE "${empty}" "")
  set(Slicer_USE_FILE "${empty}")
  set(Slicer_EXTENSION_GENERATE_CONFIG "${empty}")
  set(Slicer_EXTENSION_CPACK "${empty}")
endmacro()

function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(ARG "WITH_SUBDIR;WITH_GENERIC_TESTS" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  set(target "${DESTINATION}/qt-scripted-modules")
  if(ARG_WITH_SUBDIR)
    get_filename_component(subdir "${here}" NAME)
    set(target "${target}/${subdir}")
  endif()
  foreach(file IN LISTS ARG_SCRIPTS ARG_RESOURCES)
    if(NOT EXISTS "${here}/${file}")
      message(FATAL_ERROR "listed, but not there: ${here}/${file}")
    endif()
    get_filename_component(folder "${target}/${file}" DIRECTORY)
    file(COPY "${here}/${file}" DESTINATION "${folder}")
  endforeach()
endfunction()

function(add_subdirectory name)
  set(here "${SOURCE}/${name}")
  include("${here}/CMakeLists.txt")
endfunction()

include("${SOURCE}/CMakeLists.txt")
get_cmake_property(names VARIABLES)
foreach(name IN LISTS names)
  if(name MATCHES "^EXTENSION_")
    message(STATUS "${name}=${${name}}")
  endif()
endforeach()

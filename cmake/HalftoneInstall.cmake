# `cmake --install`: headers, libraries, the program, and a package that find_package(halftone) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY HALFTONE_ROOMS)
# Training is used through the program; installed, it would make every user of the package look for libtorch.
list(REMOVE_ITEM rooms train)
list(TRANSFORM rooms PREPEND halftone_ OUTPUT_VARIABLE room_targets)
install(TARGETS ${room_targets} halftone EXPORT halftone-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/halftone/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/halftone
        FILES_MATCHING PATTERN "*.h" PATTERN "*.def" PATTERN "internal" EXCLUDE PATTERN "train" EXCLUDE)
install(EXPORT halftone-targets NAMESPACE halftone:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/halftone)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/halftone-config.cmake.in
                              ${PROJECT_BINARY_DIR}/halftone-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/halftone)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/halftone-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/halftone-config.cmake ${PROJECT_BINARY_DIR}/halftone-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/halftone)

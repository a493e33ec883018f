# Run by cpack when the files of all packages lie below CPACK_TEMPORARY_DIRECTORY: Debian wants pages of the manual
# compressed, without a name or a time in them.
file(GLOB pages ${CPACK_TEMPORARY_DIRECTORY}/*${CPACK_PACKAGING_INSTALL_PREFIX}/share/man/man*/*.[0-9])
if(pages)
  execute_process(COMMAND gzip -9nf ${pages} COMMAND_ERROR_IS_FATAL ANY)
endif()

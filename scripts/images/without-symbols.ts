// Node's program without what only a debugger reads. Done here since the images' base has no `strip`, and installing one takes longer than
// all else of that stage.

/** Offsets in the header of a 64-bit little-endian ELF file, and in one of its program headers (elf(5)). */
const HEADER = { class: 4, programs: 32, sections: 40, programSize: 54, programCount: 56, sectionCount: 60, names: 62 };
const PROGRAM = { offset: 8, bytesInFile: 32 };
const MAGIC = 0x7f454c46;
const CLASS_64_LITTLE_ENDIAN = 0x0201;

/**
 * The file up to the last byte that is ever mapped: debug sections, the symbol table and the section table come after it. What
 * the loader and native addons need (.dynsym, notes) is mapped and stays. As `sstrip` does it.
 * @param program is changed. @returns a view of it
 * @throws Error when it is no such file, or not laid out in that order
 */
export function withoutSymbols(program: Buffer): Buffer {
  if (program.readUInt32BE(0) !== MAGIC || program.readUInt16BE(HEADER.class) !== CLASS_64_LITTLE_ENDIAN)
    throw new Error('not a 64-bit little-endian ELF program');
  const end = endOfPrograms(program);
  if (end > program.length) throw new Error(`the program is cut off: ${program.length} of ${end} bytes`);
  program.writeBigUInt64LE(0n, HEADER.sections);
  program.writeUInt16LE(0, HEADER.sectionCount);
  program.writeUInt16LE(0, HEADER.names);
  return program.subarray(0, end);
}

function endOfPrograms(program: Buffer): number {
  const first = Number(program.readBigUInt64LE(HEADER.programs));
  const size = program.readUInt16LE(HEADER.programSize);
  const count = program.readUInt16LE(HEADER.programCount);
  const ends = Array.from({ length: count }, (_, index) => {
    const at = first + index * size;
    return Number(program.readBigUInt64LE(at + PROGRAM.offset) + program.readBigUInt64LE(at + PROGRAM.bytesInFile));
  });
  return Math.max(first + count * size, ...ends);
}

/** What a program of Node's gets of our environment and is none of its own: where programs are, and what Node has compiled before. */
export function nodeEnv(): { readonly PATH?: string; readonly NODE_COMPILE_CACHE?: string } {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  // How fast Node loads the program, and nothing that the program reads.
  return {
    ...(PATH === undefined ? {} : { PATH }),
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
  };
}

import { userInfo } from 'node:os';

type Account = { readonly username: string; readonly homedir: string; readonly uid: number };

/**
 * Who this process runs as. A user id may have no name, as in a container that was started for one: it is named by its
 * number then, and has no home. What needs a name (ssh does) says so itself.
 */
export const account = (ask: () => Account = userInfo): Account => {
  try {
    return ask();
  } catch {
    const uid = process.getuid?.() ?? -1;
    return { username: `uid-${uid}`, homedir: '/', uid };
  }
};

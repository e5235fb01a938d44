/**
 * What stands before the `@` of a URL. With a colon its second part is a password, whatever the scheme; without one, and by
 * HTTP, it may be a token. `ssh://git@…` is a name. What cannot be part of it ends it: the quotes around a URL, a slash.
 */
const password = /(?<before>\b[a-z][a-z0-9+.-]{0,31}:\/\/[^\s/@:'"]*:)[^\s/@'"]+@/giu;
const token = /(?<before>\bhttps?:\/\/)[^\s/@:'"]+@/giu;

/** The text, with dots in the place of passwords in its URLs: for everything that is shown or recorded to be shown. */
export const withoutPasswords = (text: string): string =>
  text.includes('://') ? text.replace(password, '$<before>...@').replace(token, '$<before>...@') : text;

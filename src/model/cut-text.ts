/** No more than so many characters of a text that others wrote; an ellipsis shows that there was more. */
export function cutText(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

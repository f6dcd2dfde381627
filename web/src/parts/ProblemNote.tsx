import { Problem } from "../api/problem";
import { Button } from "./Button";
import { CopyButton } from "./CopyButton";
import { Note } from "./Note";
import { words } from "./words";

/** A call that failed, in the place of its data: what, why, and a way to try again. */
export function ProblemNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = Problem.of(error);
  const id = problem.requestId;
  const actions = (onRetry || id) && (
    <>
      {onRetry && (
        <Button size="small" onPress={onRetry}>
          {words.tryAgain}
        </Button>
      )}
      {id && <CopyButton text={id} label={words.requestId(id)} />}
    </>
  );
  return (
    <Note kind="bad" title={repeats(problem) ? null : asSentence(problem.title)} actions={actions}>
      {asSentence(problem.message)}
    </Note>
  );
}

/** The explanation already begins with what the title says. */
function repeats({ title, message }: Problem): boolean {
  return message.toLowerCase().startsWith(title.toLowerCase().replace(/\.$/, ""));
}

function asSentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?…]$/.test(begun) ? begun : `${begun}.`;
}

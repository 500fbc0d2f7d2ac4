import type { CatalogueItemView } from '../api/schema/catalogue-view.ts';
import { IMAGE_ANNOTATION } from '../model/artifact-layout.ts';
import { formatDigest, formatSince, formatSize, NONE } from './format.ts';
import type { Listing } from './listings.ts';

/** What the built-in registry has; NAME is what `apply` and `pull` take. */
export const CATALOGUE: Listing<CatalogueItemView> = {
  name: toName,
  columns: [
    { heading: 'NAME', cell: toName },
    { heading: 'ALSO', cell: ({ tags }) => tags.slice(1).join(', ') || NONE },
    { heading: 'VERSION', cell: item => annotation(item, 'version') },
    { heading: 'SIZE', cell: ({ sizeBytes }) => formatSize(sizeBytes) },
    { heading: 'LICENCE', cell: item => annotation(item, 'licenses') },
    { heading: 'DIGEST', cell: ({ digest }) => formatDigest(digest) },
    { heading: 'PUSHED', cell: ({ pushedAt }, now) => formatSince(pushedAt, now) },
    { heading: 'ABOUT', cell: toAbout },
    { heading: 'SOURCE', wide: true, cell: item => annotation(item, 'source') },
    { heading: 'TYPE', wide: true, cell: ({ artifactType, mediaType }) => artifactType ?? mediaType },
  ],
};

function toName({ repository, tags }: CatalogueItemView): string {
  return `${repository}:${tags[0] ?? 'latest'}`;
}

function toAbout(item: CatalogueItemView): string {
  const about = ['title', 'description'].map(key => annotation(item, key)).filter(text => text !== NONE);
  const text = about.join(': ').replace(/\s+/g, ' ');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text || NONE;
}

function annotation({ annotations }: CatalogueItemView, key: string): string {
  return annotations[IMAGE_ANNOTATION + key] || NONE;
}

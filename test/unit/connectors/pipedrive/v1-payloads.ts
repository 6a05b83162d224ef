/**
 * Webhooks of version 1 in the forms that public code and Pipedrive's guide show, with made-up values: of 2015 (no
 * more than seconds), of 2017 (`timestamp_milli`), of 2025 (`timestamp_micro`).
 */
const meta = (action: string, object: string, id: number, more: object) => ({
  v: 1,
  action,
  object,
  id,
  company_id: 1689563,
  user_id: 2428657,
  host: 'mycompany.pipedrive.com',
  permitted_user_ids: ['*'],
  trans_pending: false,
  is_bulk_update: false,
  matches_filters: { current: [], previous: [] },
  ...more,
});

const deal = {
  id: 21,
  user_id: 867597,
  person_id: 904,
  org_id: null,
  stage_id: 1,
  title: 'A deal',
  value: 17.51,
  currency: 'EUR',
  add_time: '2015-10-13 16:28:04',
  update_time: '2015-10-13 16:52:42',
  active: false,
  deleted: false,
  status: 'won',
  pipeline_id: 1,
  '3d0fa3429dfa2d3dec265b4fc5dc8258ab66cdf3': 'a custom field',
};

const organization = {
  id: 996,
  company_id: 1689563,
  owner_id: 111,
  name: 'One',
  update_time: '2017-04-20 02:09:09',
  add_time: '2017-04-19 19:42:27',
};

export const V1 = {
  updatedDeal: {
    v: 1,
    matches_filters: { current: [2] },
    meta: meta('updated', 'deal', 21, { company_id: 623011, timestamp: 1444755162 }),
    retry: 0,
    current: deal,
    previous: { ...deal, status: 'open', update_time: '2015-10-13 16:52:41' },
    event: 'updated.deal',
  },
  addedOrganization: {
    v: 1,
    meta: meta('added', 'organization', 71, { timestamp: 1492893731, timestamp_milli: 1492893731834 }),
    retry: 0,
    current: { ...organization, id: 71, add_time: '2017-04-22 20:42:11', update_time: '2017-04-22 20:42:11' },
    previous: null,
    indexable_fields: [],
    event: 'added.organization',
  },
  deletedOrganization: {
    v: 1,
    meta: meta('deleted', 'organization', 997, { timestamp: 1492653308, timestamp_milli: 1492653308072 }),
    retry: 0,
    current: null,
    previous: { ...organization, id: 997 },
    indexable_fields: [],
    event: 'deleted.organization',
  },
  mergedOrganization: {
    v: 1,
    meta: meta('merged', 'organization', 996, { timestamp: 1492654463, timestamp_milli: 1492654463572 }),
    retry: 0,
    current: { ...organization, merge_what_id: 995 },
    previous: { ...organization, id: 995 },
    event: 'merged.organization',
  },
  updatedPerson: {
    v: 1,
    meta: meta('updated', 'person', 11, {
      company_id: 1234567890,
      timestamp: 1739827618,
      timestamp_micro: 1739827618595189,
      prepublish_timestamp: 1739827618608,
      webhook_id: '1234567890',
    }),
    current: { id: 11, name: 'A person', add_time: '2025-02-17 21:15:41', update_time: '2025-02-17 21:26:58' },
    previous: { id: 11, name: 'A person', label_ids: [] },
    retry: 0,
    event: 'updated.person',
  },
  updatedUser: {
    v: 1,
    meta: meta('updated', 'user', 5, { timestamp: 1523440213, timestamp_micro: 1523440213384700 }),
    retry: 1,
    current: [{ id: 5, name: 'A user', email: 'user@example.com' }],
    previous: [{ id: 5, name: 'User' }],
    event: 'updated.user',
  },
};
